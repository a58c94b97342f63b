/** What goes between a script's thread and the one that started it. All of it must survive structured cloning. */

/** Said by the thread: once that it is there, or why it will not be; then one answer to each request. */
export type ThreadMessage<Answer, Greeting> =
  | { readonly kind: "ready"; readonly greeting: Greeting }
  | { readonly kind: "refused"; readonly detail: unknown }
  | { readonly kind: "answer"; readonly answer: Answer };
