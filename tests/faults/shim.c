/* Faults of the disk and of the clock for a process that has this library preloaded. A file of 64 bytes, which is named
   by FAULTS_FILE and mapped, says which: [0] the disk is full, [1] reading fails, [2] fsync fails, [3] seconds that are
   added to the time of day, [4] the name origin.faulty is not resolved (else it is 127.0.0.1). Only files below
   FAULTS_FOLDER are hit. FAULTS_KILL_AT=N kills the process (SIGKILL) before its Nth change of such a file or name. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t *faults;
static const char *folder;
static long kill_at;

__attribute__((constructor)) static void begin(void) {
    const char *name = getenv("FAULTS_FILE");
    folder = getenv("FAULTS_FOLDER");
    const char *at = getenv("FAULTS_KILL_AT");
    if (at) kill_at = atol(at);
    if (!name || !folder) return;
    int descriptor = open(name, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return;
    void *mapped = mmap(NULL, 64, PROT_READ, MAP_SHARED, descriptor, 0);
    close(descriptor);
    if (mapped != MAP_FAILED) faults = mapped;
}

static void count_change(void) {
    if (__atomic_sub_fetch(&kill_at, 1, __ATOMIC_SEQ_CST) == 0) kill(getpid(), SIGKILL);
}

static int is_ours(int descriptor) {
    char link[64], target[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, target, sizeof target - 1);
    if (length <= 0) return 0;
    target[length] = 0;
    return strncmp(target, folder, strlen(folder)) == 0;
}

static int hits(int fault, int descriptor) { return faults && faults[fault] && is_ours(descriptor); }

#define CHANGE(descriptor) if (kill_at > 0 && is_ours(descriptor)) count_change();

#define REAL(name) static __typeof__(&name) real; if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)
#define FAIL(fault, descriptor, code) if (hits(fault, descriptor)) { errno = code; return -1; }

ssize_t write(int d, const void *b, size_t n) { REAL(write); CHANGE(d) FAIL(0, d, ENOSPC) return real(d, b, n); }
ssize_t pwrite(int d, const void *b, size_t n, off_t o) { REAL(pwrite); CHANGE(d) FAIL(0, d, ENOSPC) return real(d, b, n, o); }
ssize_t pwrite64(int d, const void *b, size_t n, off64_t o) { REAL(pwrite64); CHANGE(d) FAIL(0, d, ENOSPC) return real(d, b, n, o); }
int posix_fallocate(int d, off_t o, off_t n) { REAL(posix_fallocate); if (hits(0, d)) return ENOSPC; return real(d, o, n); }
int fallocate(int d, int m, off_t o, off_t n) { REAL(fallocate); FAIL(0, d, ENOSPC) return real(d, m, o, n); }
ssize_t read(int d, void *b, size_t n) { REAL(read); FAIL(1, d, EIO) return real(d, b, n); }
ssize_t pread(int d, void *b, size_t n, off_t o) { REAL(pread); FAIL(1, d, EIO) return real(d, b, n, o); }
ssize_t pread64(int d, void *b, size_t n, off64_t o) { REAL(pread64); FAIL(1, d, EIO) return real(d, b, n, o); }
int fsync(int d) { REAL(fsync); CHANGE(d) FAIL(2, d, EIO) return real(d); }
int fdatasync(int d) { REAL(fdatasync); CHANGE(d) FAIL(2, d, EIO) return real(d); }

int ftruncate64(int d, off64_t n) { REAL(ftruncate64); CHANGE(d) return real(d, n); }
int ftruncate(int d, off_t n) { REAL(ftruncate); CHANGE(d) return real(d, n); }
int rename(const char *a, const char *b) { REAL(rename); if (kill_at > 0) count_change(); return real(a, b); }
int unlink(const char *a) { REAL(unlink); if (kill_at > 0) count_change(); return real(a); }

int getaddrinfo(const char *restrict host, const char *restrict service, const struct addrinfo *restrict hints,
                struct addrinfo **restrict found) {
    REAL(getaddrinfo);
    if (faults && host && strcmp(host, "origin.faulty") == 0) {
        if (faults[4]) return EAI_AGAIN;
        host = "127.0.0.1";
    }
    return real(host, service, hints, found);
}

int clock_gettime(clockid_t id, struct timespec *to) {
    REAL(clock_gettime);
    int result = real(id, to);
    if (result == 0 && faults && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) to->tv_sec += faults[3];
    return result;
}
int gettimeofday(struct timeval *restrict to, void *restrict zone) {
    REAL(gettimeofday);
    int result = real(to, zone);
    if (result == 0 && faults) to->tv_sec += faults[3];
    return result;
}
time_t time(time_t *to) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (to) *to = now.tv_sec;
    return now.tv_sec;
}
