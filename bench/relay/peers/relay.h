/* What the relays that the benchmark compares with have in common: arguments, sockets, the closing line. */
#ifndef SLUICE_BENCH_RELAY_PEERS_RELAY_H
#define SLUICE_BENCH_RELAY_PEERS_RELAY_H

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define EXIT_USAGE 64
#define MAX_OUTPUTS 64
#define BATCH 64
#define MESSAGE_BYTES 2048
#define RECEIVE_BUFFER_BYTES (16 << 20)
#define SEND_BUFFER_BYTES (4 << 20)
#define OUTPUT_TTL 8

struct relay {
  int input_interface;
  struct sockaddr_in input;
  int outputs[MAX_OUTPUTS]; /* connected sockets */
  int output_count;
  unsigned long received, sent, errors;
};

static inline _Noreturn void fail(const char *what) {
  perror(what);
  exit(EXIT_FAILURE);
}

static inline _Noreturn void refuse(const char *program, const char *why, const char *argument) {
  const char *usage = "IN_INTERFACE GROUP PORT OUT_INTERFACE=GROUP:PORT [OUT_INTERFACE=GROUP:PORT ...]";

  fprintf(stderr, "%s: %s: %s\nusage: %s %s\n", program, why, argument, program, usage);
  exit(EXIT_USAGE);
}

static inline void set_option(int socket, int level, int option, int value, const char *what) {
  if (setsockopt(socket, level, option, &value, sizeof value) < 0) fail(what);
}

static inline int parse_endpoint(const char *address, const char *port, struct sockaddr_in *endpoint) {
  char *end;
  unsigned long number = strtoul(port, &end, 10);

  *endpoint = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)number)};
  return *port >= '0' && *port <= '9' && *end == '\0' && number >= 1 && number <= 65535 &&
         inet_pton(AF_INET, address, &endpoint->sin_addr) == 1;
}

static inline int open_output(const char *interface, const struct sockaddr_in *destination) {
  struct ip_mreqn through = {.imr_ifindex = (int)if_nametoindex(interface)};
  int output = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

  if (output < 0) fail("socket for output");
  if (setsockopt(output, SOL_SOCKET, SO_BINDTODEVICE, interface, strlen(interface) + 1) < 0) fail("SO_BINDTODEVICE");
  if (setsockopt(output, IPPROTO_IP, IP_MULTICAST_IF, &through, sizeof through) < 0) fail("IP_MULTICAST_IF");
  set_option(output, IPPROTO_IP, IP_MULTICAST_TTL, OUTPUT_TTL, "IP_MULTICAST_TTL");
  set_option(output, IPPROTO_IP, IP_MULTICAST_LOOP, 0, "IP_MULTICAST_LOOP");
  set_option(output, SOL_SOCKET, SO_SNDBUFFORCE, SEND_BUFFER_BYTES, "SO_SNDBUFFORCE");
  if (connect(output, (const struct sockaddr *)destination, sizeof *destination) < 0) fail("connect output");
  return output;
}

/* Takes OUT_INTERFACE=GROUP:PORT apart without changing it, so that it can be named in a message. */
static inline int parse_output(const char *program, const char *argument) {
  char interface[IF_NAMESIZE], address[INET_ADDRSTRLEN];
  const char *equals = strchr(argument, '='), *colon = strrchr(argument, ':');
  struct sockaddr_in destination;

  if (!equals || !colon || colon < equals || equals - argument >= IF_NAMESIZE ||
      colon - equals - 1 >= INET_ADDRSTRLEN)
    refuse(program, "not OUT_INTERFACE=GROUP:PORT", argument);
  snprintf(interface, sizeof interface, "%.*s", (int)(equals - argument), argument);
  snprintf(address, sizeof address, "%.*s", (int)(colon - equals - 1), equals + 1);
  if (!parse_endpoint(address, colon + 1, &destination)) refuse(program, "not an IPv4 address and port", argument);
  if (!if_nametoindex(interface)) refuse(program, "no such interface", interface);
  return open_output(interface, &destination);
}

static inline void open_relay(struct relay *relay, int count, char **arguments) {
  const char *program = arguments[0];

  if (count < 5) refuse(program, "too few arguments", count > 1 ? arguments[count - 1] : "none");
  if (count - 4 > MAX_OUTPUTS) refuse(program, "too many outputs", arguments[4 + MAX_OUTPUTS]);
  relay->input_interface = (int)if_nametoindex(arguments[1]);
  if (!relay->input_interface) refuse(program, "no such interface", arguments[1]);
  if (!parse_endpoint(arguments[2], arguments[3], &relay->input) ||
      !IN_MULTICAST(ntohl(relay->input.sin_addr.s_addr)))
    refuse(program, "not an IPv4 group and port", arguments[2]);
  for (int argument = 4; argument < count; argument++)
    relay->outputs[relay->output_count++] = parse_output(program, arguments[argument]);
}

static inline void say_ready(void) {
  puts("ready");
  fflush(stdout);
}

static inline void say_totals(const struct relay *relay) {
  printf("received %lu sent %lu errors %lu\n", relay->received, relay->sent, relay->errors);
}

#endif
