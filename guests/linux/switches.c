/* SPDX-License-Identifier: MIT */
/*
 * Two processes that hand a token to and fro, alone on one processor: each
 * hand-over is one switch from one address space to the other, and the kernel
 * counts them in /proc. A monitor of this domain is told when the counting
 * begins and ends (INT3 with RAX = MARK, RDI = text); without one the marks do
 * nothing.
 *
 * usage: switches [ROUNDS]
 *        mark TEXT          only makes a note
 *
 * Linked without a C library, so that it runs in any root file system.
 */

#define MARK 0x6b72616d2d766172

typedef unsigned long word;

enum {
    SYS_READ = 0,
    SYS_WRITE = 1,
    SYS_CLOSE = 3,
    SYS_OPEN = 2,
    SYS_RT_SIGACTION = 13,
    SYS_PIPE = 22,
    SYS_DUP2 = 33,
    SYS_FORK = 57,
    SYS_EXECVE = 59,
    SYS_EXIT = 60,
    SYS_WAIT4 = 61,
    SYS_SCHED_SETSCHEDULER = 144,
    SYS_SCHED_SETAFFINITY = 203,
    SYS_SCHED_GETAFFINITY = 204,
    SYS_GETPID = 39,
};

/* Descriptors that both processes have: tokens to pong, tokens to ping. */
enum { TO_PONG_READ = 10, TO_PONG_WRITE, TO_PING_READ, TO_PING_WRITE };

#define SIGTRAP 5
#define SCHED_FIFO 1

static long call(long number, word a, word b, word c, word d)
{
    long result;
    register word r10 asm("r10") = d;

    asm volatile("syscall"
                 : "=a"(result)
                 : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
                 : "rcx", "r11", "memory");
    return result;
}

void *memset(void *to, int value, word size);
void *memset(void *to, int value, word size)
{
    char *p = to;

    while (size--) {
        *p++ = (char)value;
        asm volatile("" ::: "memory");
    }
    return to;
}

static word length(const char *text)
{
    word n = 0;

    while (text[n]) {
        n++;
    }
    return n;
}

static void say(const char *text)
{
    call(SYS_WRITE, 1, (word)text, length(text), 0);
}

static void say_number(word n)
{
    char digits[24];
    int at = 23;

    digits[at] = 0;
    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n);
    say(digits + at);
}

static word number_of(const char *text)
{
    word n = 0;

    while (*text >= '0' && *text <= '9') {
        n = n * 10 + (word)(*text++ - '0');
    }
    return n;
}

static void finish(int code)
{
    call(SYS_EXIT, (word)code, 0, 0, 0);
    __builtin_unreachable();
}

static long must(long result, const char *what)
{
    if (result < 0) {
        say("switches: ");
        say(what);
        say(" failed\n");
        finish(1);
    }
    return result;
}

static void mark(const char *text)
{
    asm volatile("int3" ::"a"((word)MARK), "D"(text) : "memory");
}

/* ---- Setting up ---------------------------------------------------------- */

void trap_ignore(void);
void trap_return(void);
/* The handler returns to its restorer, which returns from the signal. */
asm("trap_ignore: ret\n"
    "trap_return: mov $15, %eax\n"
    "syscall\n");

static void trap_prepare(void)
{
    struct {
        void (*handler)(void);
        word flags;
        void (*restorer)(void);
        word mask;
    } action = {trap_ignore, 0x04000000, trap_return, 0};

    must(call(SYS_RT_SIGACTION, SIGTRAP, (word)&action, 0, 8), "sigaction");
}

/* The last processor, alone: no process may take it away, and a woken one waits
 * until the other blocks. */
static void processor_take(void)
{
    word mask[16] = {0};
    int priority = 50, last = 0, i;

    must(call(SYS_SCHED_GETAFFINITY, 0, sizeof(mask), (word)mask, 0),
         "getaffinity");
    for (i = 0; i < 64; i++) {
        last = (mask[0] >> i) & 1 ? i : last;
    }
    mask[0] = 1ul << last;
    must(call(SYS_SCHED_SETAFFINITY, 0, sizeof(mask), (word)mask, 0),
         "setaffinity");
    must(call(SYS_SCHED_SETSCHEDULER, 0, SCHED_FIFO, (word)&priority, 0),
         "setscheduler");
}

static void pipe_make(int read_end, int write_end)
{
    int ends[2];

    must(call(SYS_PIPE, (word)ends, 0, 0, 0), "pipe");
    must(call(SYS_DUP2, (word)ends[0], (word)read_end, 0, 0), "dup2");
    must(call(SYS_DUP2, (word)ends[1], (word)write_end, 0, 0), "dup2");
    call(SYS_CLOSE, (word)ends[0], 0, 0, 0);
    call(SYS_CLOSE, (word)ends[1], 0, 0, 0);
}

/* ---- What the kernel counts ---------------------------------------------- */

struct counts {
    word voluntary, nonvoluntary;
};

static word field_of(const char *text, const char *key)
{
    for (; *text; text++) {
        word n = 0;

        while (key[n] && text[n] == key[n]) {
            n++;
        }
        if (!key[n]) {
            for (text += n; *text == ':' || *text == '\t'; text++) {
            }
            return number_of(text);
        }
    }
    return 0;
}

static struct counts counts_read(word pid)
{
    static char text[4096];
    char path[40] = "/proc/";
    char digits[24];
    struct counts c;
    long fd, n;
    int at = 23, len = 6;

    digits[at] = 0;
    do {
        digits[--at] = (char)('0' + pid % 10);
        pid /= 10;
    } while (pid);
    for (; digits[at]; at++) {
        path[len++] = digits[at];
    }
    for (at = 0; at < 8; at++) {
        path[len++] = "/status"[at];
    }
    fd = must(call(SYS_OPEN, (word)path, 0, 0, 0), "open");
    n = must(call(SYS_READ, (word)fd, (word)text, sizeof(text) - 1, 0), "read");
    text[n] = 0;
    call(SYS_CLOSE, (word)fd, 0, 0, 0);
    c.voluntary = field_of(text, "\nvoluntary_ctxt_switches");
    c.nonvoluntary = field_of(text, "\nnonvoluntary_ctxt_switches");
    return c;
}

static void counts_say(const char *who, struct counts from, struct counts to)
{
    say("switches of ");
    say(who);
    say(": voluntary ");
    say_number(to.voluntary - from.voluntary);
    say(" nonvoluntary ");
    say_number(to.nonvoluntary - from.nonvoluntary);
    say("\n");
}

/* ---- The two ------------------------------------------------------------- */

static void token_take(int fd)
{
    char token;

    must(call(SYS_READ, (word)fd, (word)&token, 1, 0) - 1, "read of a token");
}

static void token_give(int fd)
{
    must(call(SYS_WRITE, (word)fd, (word) "t", 1, 0) - 1, "write of a token");
}

static void ping(word rounds, word other)
{
    struct counts own, theirs;
    word self = (word)call(SYS_GETPID, 0, 0, 0, 0);
    word i;

    trap_prepare();
    token_take(TO_PING_READ); /* pong is ready, and blocks next */
    token_give(TO_PONG_WRITE);
    token_take(TO_PING_READ);
    own = counts_read(self);
    theirs = counts_read(other);
    mark("switches begin");
    for (i = 0; i < rounds; i++) {
        token_give(TO_PONG_WRITE);
        token_take(TO_PING_READ);
    }
    mark("switches end");
    counts_say("ping", own, counts_read(self));
    counts_say("pong", theirs, counts_read(other));
    say("switches rounds ");
    say_number(rounds);
    say("\n");
    finish(0);
}

static void pong(word rounds)
{
    word i;

    token_give(TO_PING_WRITE);
    for (i = 0; i < rounds + 1; i++) {
        token_take(TO_PONG_READ);
        token_give(TO_PING_WRITE);
    }
    finish(0);
}

/* Each with an address space and a name of its own. */
static void start(const char *program, const char *rounds)
{
    static char number[24];
    char *ping_words[] = {"ping", (char *)rounds, number, 0};
    char *pong_words[] = {"pong", (char *)rounds, 0};
    char *none[] = {0};
    long child;
    int at = 22;

    pipe_make(TO_PONG_READ, TO_PONG_WRITE);
    pipe_make(TO_PING_READ, TO_PING_WRITE);
    processor_take();
    child = must(call(SYS_FORK, 0, 0, 0, 0), "fork");
    if (child == 0) {
        must(call(SYS_EXECVE, (word)program, (word)pong_words, (word)none, 0),
             "execve");
    }
    do {
        number[at--] = (char)('0' + child % 10);
        child /= 10;
    } while (child);
    ping_words[2] = number + at + 1;
    must(call(SYS_EXECVE, (word)program, (word)ping_words, (word)none, 0),
         "execve");
}

void run(word *stack) __attribute__((used));
void run(word *stack)
{
    word count = stack[0];
    char **words = (char **)(stack + 1);
    word rounds = count > 1 ? number_of(words[1]) : 1000;

    if (count == 2 && length(words[0]) >= 4 &&
        words[0][length(words[0]) - 4] == 'm') {
        trap_prepare();
        mark(words[1]);
        finish(0);
    }
    if (count == 3 && words[0][1] == 'i') {
        ping(rounds, number_of(words[2]));
    } else if (count == 2 && words[0][0] == 'p' && words[0][1] == 'o') {
        pong(rounds);
    }
    start("/proc/self/exe", count > 1 ? words[1] : "1000");
}

asm(".globl _start\n"
    "_start: mov %rsp, %rdi\n"
    "and $-16, %rsp\n"
    "call run\n");
