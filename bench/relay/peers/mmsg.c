/*
 * The plainest relay that is still fast: a UDP socket joined to the group, recvmmsg(), and a sendmmsg() per output.
 * Every packet goes up through the IP stack, so rp_filter and the membership decide what it sees.
 */
#include "relay.h"
#include <signal.h>
#include <sys/time.h>

/* Receiving and sending use the same bytes by different lengths: the room of a buffer, and what came into it. */
struct batch {
  struct mmsghdr incoming[BATCH], outgoing[BATCH];
  struct iovec rooms[BATCH], payloads[BATCH];
  unsigned char buffers[BATCH][MESSAGE_BYTES];
};

static volatile sig_atomic_t stopping;

static void stop(int signal) {
  (void)signal;
  stopping = 1;
}

/* Without SA_RESTART: a signal is to end the wait for a packet, and for room in a send buffer. */
static void catch_signals(void) {
  struct sigaction action = {.sa_handler = stop};

  if (sigaction(SIGTERM, &action, NULL) < 0 || sigaction(SIGINT, &action, NULL) < 0) fail("sigaction");
}

static int open_input(const struct relay *relay) {
  struct ip_mreqn membership = {.imr_multiaddr = relay->input.sin_addr, .imr_ifindex = relay->input_interface};
  /* A signal between the look at the flag and the receive must not be lost for ever. */
  struct timeval patience = {.tv_usec = 200000};
  int input = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

  if (input < 0) fail("socket for input");
  set_option(input, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR");
  set_option(input, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES, "SO_RCVBUFFORCE");
  /* By default a socket gets what any other socket has joined, on any interface. */
  set_option(input, IPPROTO_IP, IP_MULTICAST_ALL, 0, "IP_MULTICAST_ALL");
  if (setsockopt(input, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) < 0) fail("SO_RCVTIMEO");
  if (bind(input, (const struct sockaddr *)&relay->input, sizeof relay->input) < 0) fail("bind input");
  if (setsockopt(input, IPPROTO_IP, IP_ADD_MEMBERSHIP, &membership, sizeof membership) < 0) fail("IP_ADD_MEMBERSHIP");
  return input;
}

static void prepare(struct batch *batch) {
  for (int slot = 0; slot < BATCH; slot++) {
    batch->rooms[slot] = (struct iovec){.iov_base = batch->buffers[slot], .iov_len = MESSAGE_BYTES};
    batch->incoming[slot].msg_hdr = (struct msghdr){.msg_iov = &batch->rooms[slot], .msg_iovlen = 1};
    batch->outgoing[slot].msg_hdr = (struct msghdr){.msg_iov = &batch->payloads[slot], .msg_iovlen = 1};
  }
}

/* Gives how many messages are to be sent. What was cut short is an error: half a payload is worse than none. */
static unsigned receive(struct relay *relay, int input, struct batch *batch) {
  int received = recvmmsg(input, batch->incoming, BATCH, MSG_WAITFORONE, NULL);
  unsigned whole = 0;

  if (received < 0) {
    if (errno != EINTR && errno != EAGAIN) fail("recvmmsg");
    return 0;
  }
  relay->received += (unsigned)received;
  for (int slot = 0; slot < received; slot++) {
    if (batch->incoming[slot].msg_hdr.msg_flags & MSG_TRUNC) {
      relay->errors++;
      continue;
    }
    batch->payloads[whole].iov_base = batch->buffers[slot];
    batch->payloads[whole].iov_len = batch->incoming[slot].msg_len;
    whole++;
  }
  return whole;
}

/* sendmmsg() stops at the message it cannot send, and tells why only when that is the first. */
static void send_all(struct relay *relay, int output, struct mmsghdr *messages, unsigned count) {
  unsigned done = 0;

  while (done < count) {
    int sent = sendmmsg(output, messages + done, count - done, 0);
    if (sent > 0) {
      relay->sent += (unsigned)sent;
      done += (unsigned)sent;
    } else if (sent < 0 && errno == EINTR) {
      if (stopping) return;
    } else {
      relay->errors++;
      done++;
    }
  }
}

int main(int count, char **arguments) {
  static struct relay relay;
  static struct batch batch;

  open_relay(&relay, count, arguments);
  int input = open_input(&relay);
  prepare(&batch);
  catch_signals();
  say_ready();
  while (!stopping) {
    unsigned messages = receive(&relay, input, &batch);
    for (int output = 0; messages && output < relay.output_count; output++)
      send_all(&relay, relay.outputs[output], batch.outgoing, messages);
  }
  say_totals(&relay);
  return EXIT_SUCCESS;
}
