/*
 * A relay in MCR's style: frames from a packet socket, which sees them before the IP stack and rp_filter, payloads out
 * through UDP sockets, both by one io_uring with one thread. As there: 1024 entries, 32 RECVs outstanding, a SEND per
 * output, batches of 64, no registered buffers or files, no multishot, no zero copy, no SQPOLL. MCR has a pool of
 * buffers of 2048 bytes, but for receiving alone; per packet that matches it allocates one heap buffer (an Arc<[u8]>),
 * copies the payload and shares it between the sends to all outputs. So malloc(), a copy and free() per packet here.
 *
 * Kinder than MCR on purpose: one rule is compared, no hash table is asked; nothing is counted per flow or logged; the
 * packet socket asks for IP alone, so it needs no filter against outgoing frames; IP_MULTICAST_LOOP is off.
 *
 * Each packet wakes all the RECVs. The kernel hands those woken for nothing too often to threads of its own (iou-wrk,
 * in this process and on its CPUs), so at low rates a few packets may change places.
 */
#include "relay.h"
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/io_uring.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>

#define RING_ENTRIES 1024
#define RECEIVES 32
/* Of the tags of completions: below are slots of RECVs, above are addresses of packets. */
#define SIGNAL_TAG RECEIVES
#define DRAIN_STEPS 100
#define DRAIN_STEP_MICROSECONDS 10000

struct ring {
  int descriptor;
  unsigned *sq_head, *sq_tail, sq_mask, *cq_head, *cq_tail, cq_mask;
  unsigned queued_tail; /* what is beyond *sq_tail is not yet shown to the kernel */
  struct io_uring_sqe *sqes;
  struct io_uring_cqe *cqes;
};

/* Goes with the last of its sends. */
struct packet {
  unsigned sends;
  unsigned length;
  unsigned char payload[];
};

struct slot {
  unsigned length;
  unsigned char frame[MESSAGE_BYTES];
};

struct engine {
  struct relay relay;
  struct ring ring;
  int input, signals, stopping;
  struct signalfd_siginfo signal;
  struct slot slots[RECEIVES];
  unsigned arrived[RECEIVES]; /* slots with frames not yet forwarded, in the order of arrival */
  unsigned first_arrived, arrived_count;
  unsigned sends; /* given to the ring and not completed */
  unsigned batched;
};

static void *map_ring(int descriptor, size_t bytes, off_t offset) {
  void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, descriptor, offset);

  if (memory == MAP_FAILED) fail("mmap of io_uring");
  return memory;
}

static void open_ring(struct ring *ring) {
  struct io_uring_params params = {0};

  ring->descriptor = (int)syscall(__NR_io_uring_setup, RING_ENTRIES, &params);
  if (ring->descriptor < 0) fail("io_uring_setup");
  /* FAST_POLL (Linux 5.7) implies that both rings share one map; without it every RECV would hold a kernel thread. */
  if (!(params.features & IORING_FEAT_SINGLE_MMAP) || !(params.features & IORING_FEAT_FAST_POLL)) {
    errno = ENOSYS;
    fail("io_uring of Linux 5.7");
  }
  size_t sq_bytes = params.sq_off.array + params.sq_entries * sizeof(unsigned);
  size_t cq_bytes = params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe);
  char *rings = map_ring(ring->descriptor, sq_bytes > cq_bytes ? sq_bytes : cq_bytes, IORING_OFF_SQ_RING);
  ring->sqes = map_ring(ring->descriptor, params.sq_entries * sizeof(struct io_uring_sqe), IORING_OFF_SQES);
  ring->sq_head = (unsigned *)(rings + params.sq_off.head);
  ring->sq_tail = (unsigned *)(rings + params.sq_off.tail);
  ring->sq_mask = *(unsigned *)(rings + params.sq_off.ring_mask);
  ring->cq_head = (unsigned *)(rings + params.cq_off.head);
  ring->cq_tail = (unsigned *)(rings + params.cq_off.tail);
  ring->cq_mask = *(unsigned *)(rings + params.cq_off.ring_mask);
  ring->cqes = (struct io_uring_cqe *)(rings + params.cq_off.cqes);
  ring->queued_tail = *ring->sq_tail;
  /* Entries are used in their order, so the table of indices never changes. */
  unsigned *indices = (unsigned *)(rings + params.sq_off.array);
  for (unsigned index = 0; index < params.sq_entries; index++) indices[index] = index;
}

/* With room for twice the entries, and no more sends outstanding than entries, completions cannot overflow. */
static void submit(struct engine *engine, unsigned wanted_completions) {
  struct ring *ring = &engine->ring;

  __atomic_store_n(ring->sq_tail, ring->queued_tail, __ATOMIC_RELEASE);
  unsigned waiting = ring->queued_tail - __atomic_load_n(ring->sq_head, __ATOMIC_ACQUIRE);
  long submitted = syscall(__NR_io_uring_enter, ring->descriptor, waiting, wanted_completions, IORING_ENTER_GETEVENTS,
                           NULL, 0);
  if (submitted < 0 && errno != EINTR && errno != EAGAIN && errno != EBUSY) fail("io_uring_enter");
  engine->batched = 0;
}

static void queue(struct engine *engine, __u8 opcode, int file, void *memory, unsigned length, __u64 tag) {
  struct ring *ring = &engine->ring;

  while (ring->queued_tail - __atomic_load_n(ring->sq_head, __ATOMIC_ACQUIRE) > ring->sq_mask) submit(engine, 0);
  struct io_uring_sqe *entry = &ring->sqes[ring->queued_tail++ & ring->sq_mask];
  *entry = (struct io_uring_sqe){
      .opcode = opcode, .fd = file, .addr = (__u64)(uintptr_t)memory, .len = length, .user_data = tag};
}

static void queue_receive(struct engine *engine, unsigned slot) {
  queue(engine, IORING_OP_RECV, engine->input, engine->slots[slot].frame, MESSAGE_BYTES, slot);
}

/* Opened for no protocol: nothing of other interfaces is to come in before the bind. */
static int open_input(const struct relay *relay) {
  struct sockaddr_ll where = {
      .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_ifindex = relay->input_interface};
  int input = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

  if (input < 0) fail("packet socket");
  set_option(input, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES, "SO_RCVBUFFORCE");
  if (bind(input, (const struct sockaddr *)&where, sizeof where) < 0) fail("bind packet socket");
  return input;
}

/* Read through the ring like anything else: a handler could run just before the wait, which would then not end. */
static int open_signals(void) {
  sigset_t ending;

  sigemptyset(&ending);
  sigaddset(&ending, SIGTERM);
  sigaddset(&ending, SIGINT);
  if (sigprocmask(SIG_BLOCK, &ending, NULL) < 0) fail("sigprocmask");
  int signals = signalfd(-1, &ending, SFD_CLOEXEC);
  if (signals < 0) fail("signalfd");
  return signals;
}

/* The payload of a frame that the rule is for; NULL for others, for fragments and for what was cut short. */
static const unsigned char *match(const struct sockaddr_in *rule, const struct slot *slot, unsigned *payload_length) {
  struct ethhdr ethernet;
  struct iphdr ip;
  struct udphdr udp;

  if (slot->length < sizeof ethernet + sizeof ip) return NULL;
  memcpy(&ethernet, slot->frame, sizeof ethernet);
  memcpy(&ip, slot->frame + sizeof ethernet, sizeof ip);
  if (ethernet.h_proto != htons(ETH_P_IP) || ip.version != 4 || ip.ihl < 5 || ip.protocol != IPPROTO_UDP) return NULL;
  if (ip.frag_off & htons(IP_MF | IP_OFFMASK)) return NULL;
  unsigned udp_offset = sizeof ethernet + ip.ihl * 4u;
  if (slot->length < udp_offset + sizeof udp) return NULL;
  memcpy(&udp, slot->frame + udp_offset, sizeof udp);
  if (ip.daddr != rule->sin_addr.s_addr || udp.dest != rule->sin_port) return NULL;
  unsigned udp_length = ntohs(udp.len);
  if (udp_length < sizeof udp || udp_length > slot->length - udp_offset) return NULL;
  *payload_length = udp_length - sizeof udp;
  return slot->frame + udp_offset + sizeof udp;
}

static void forward(struct engine *engine, unsigned slot) {
  struct relay *relay = &engine->relay;
  unsigned length;
  const unsigned char *payload = match(&relay->input, &engine->slots[slot], &length);

  if (payload) {
    struct packet *packet = malloc(sizeof *packet + length);
    if (!packet) fail("malloc");
    packet->sends = (unsigned)relay->output_count;
    packet->length = length;
    memcpy(packet->payload, payload, length);
    relay->received++;
    engine->sends += packet->sends;
    for (int output = 0; output < relay->output_count; output++) {
      queue(engine, IORING_OP_SEND, relay->outputs[output], packet->payload, length, (__u64)(uintptr_t)packet);
      if (++engine->batched == BATCH) submit(engine, 0);
    }
  }
  queue_receive(engine, slot);
}

static void complete_receive(struct engine *engine, unsigned slot, int result) {
  if (result >= 0) {
    engine->slots[slot].length = (unsigned)result;
    engine->arrived[(engine->first_arrived + engine->arrived_count++) % RECEIVES] = slot;
    return;
  }
  if (result == -ENETDOWN) {
    engine->relay.errors++;
  } else if (result != -EAGAIN && result != -EINTR) {
    errno = -result;
    fail("RECV");
  }
  queue_receive(engine, slot);
}

static void complete_send(struct engine *engine, struct packet *packet, int result) {
  if (result == (int)packet->length) engine->relay.sent++;
  else engine->relay.errors++;
  engine->sends--;
  if (--packet->sends == 0) free(packet);
}

static void reap(struct engine *engine) {
  struct ring *ring = &engine->ring;
  unsigned head = *ring->cq_head, tail = __atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE);

  for (; head != tail; head++) {
    struct io_uring_cqe completion = ring->cqes[head & ring->cq_mask];
    if (completion.user_data < RECEIVES) complete_receive(engine, (unsigned)completion.user_data, completion.res);
    else if (completion.user_data == SIGNAL_TAG) engine->stopping = 1;
    else complete_send(engine, (struct packet *)(uintptr_t)completion.user_data, completion.res);
  }
  __atomic_store_n(ring->cq_head, head, __ATOMIC_RELEASE);
}

/* Frames wait in their slots, and those behind them in the socket, while the sends of one more would be too many. */
static void forward_arrived(struct engine *engine) {
  while (engine->arrived_count && engine->sends + (unsigned)engine->relay.output_count <= RING_ENTRIES) {
    unsigned slot = engine->arrived[engine->first_arrived];
    engine->first_arrived = (engine->first_arrived + 1) % RECEIVES;
    engine->arrived_count--;
    forward(engine, slot);
  }
}

/* What was taken in is still sent, but an output that is stuck does not keep the relay from ending. */
static void drain(struct engine *engine) {
  for (int step = 0; step < DRAIN_STEPS && engine->sends; step++) {
    if (step) usleep(DRAIN_STEP_MICROSECONDS);
    submit(engine, 0);
    reap(engine);
  }
}

int main(int count, char **arguments) {
  static struct engine engine;

  open_relay(&engine.relay, count, arguments);
  engine.signals = open_signals();
  open_ring(&engine.ring);
  engine.input = open_input(&engine.relay);
  queue(&engine, IORING_OP_READ, engine.signals, &engine.signal, sizeof engine.signal, SIGNAL_TAG);
  for (unsigned slot = 0; slot < RECEIVES; slot++) queue_receive(&engine, slot);
  submit(&engine, 0);
  say_ready();
  while (!engine.stopping) {
    submit(&engine, 1);
    reap(&engine);
    forward_arrived(&engine);
  }
  drain(&engine);
  say_totals(&engine.relay);
  return EXIT_SUCCESS;
}
