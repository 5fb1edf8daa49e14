// The C11 threads that librdkafka uses, led back to POSIX threads: ThreadSanitizer of g++ 12 knows only
// those, and crashes in a thread it has not seen start. Empty in every other build.
#if defined(__SANITIZE_THREAD__)

#include <cerrno>
#include <cstdint>
#include <memory>
#include <pthread.h>
#include <threads.h>

namespace {

struct Start {
    thrd_start_t function;
    void* argument;
};

void* run(void* opaque) {
    const std::unique_ptr<Start> start(static_cast<Start*>(opaque));
    return reinterpret_cast<void*>(static_cast<std::intptr_t>(start->function(start->argument)));
}

int to_result(int error) {
    if (error == 0) return thrd_success;
    if (error == ETIMEDOUT) return thrd_timedout;
    return error == EBUSY ? thrd_busy : thrd_error;
}

// glibc's types for both interfaces have one layout.
pthread_mutex_t* posix(mtx_t* mutex) {
    return reinterpret_cast<pthread_mutex_t*>(mutex);
}
pthread_cond_t* posix(cnd_t* condition) {
    return reinterpret_cast<pthread_cond_t*>(condition);
}

} // namespace

extern "C" {

// librdkafka itself is not instrumented: its atomic reference counts look like races between its own threads.
const char* __tsan_default_suppressions() {
    return "race:librdkafka.so\n";
}

int thrd_create(thrd_t* thread, thrd_start_t function, void* argument) {
    auto start = std::make_unique<Start>(Start{function, argument});
    const int error = pthread_create(thread, nullptr, run, start.get());
    if (error == 0) static_cast<void>(start.release());
    return to_result(error);
}

int thrd_join(thrd_t thread, int* result) {
    void* value = nullptr;
    const int error = pthread_join(thread, &value);
    if (result != nullptr) *result = static_cast<int>(reinterpret_cast<std::intptr_t>(value));
    return to_result(error);
}

int mtx_init(mtx_t* mutex, int type) noexcept {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    if ((type & mtx_recursive) != 0) pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    const int error = pthread_mutex_init(posix(mutex), &attributes);
    pthread_mutexattr_destroy(&attributes);
    return to_result(error);
}

void mtx_destroy(mtx_t* mutex) noexcept {
    pthread_mutex_destroy(posix(mutex));
}

int mtx_lock(mtx_t* mutex) {
    return to_result(pthread_mutex_lock(posix(mutex)));
}

int mtx_trylock(mtx_t* mutex) noexcept {
    return to_result(pthread_mutex_trylock(posix(mutex)));
}

int mtx_unlock(mtx_t* mutex) noexcept {
    return to_result(pthread_mutex_unlock(posix(mutex)));
}

int cnd_init(cnd_t* condition) noexcept {
    return to_result(pthread_cond_init(posix(condition), nullptr));
}

void cnd_destroy(cnd_t* condition) noexcept {
    pthread_cond_destroy(posix(condition));
}

int cnd_signal(cnd_t* condition) noexcept {
    return to_result(pthread_cond_signal(posix(condition)));
}

int cnd_broadcast(cnd_t* condition) noexcept {
    return to_result(pthread_cond_broadcast(posix(condition)));
}

int cnd_wait(cnd_t* condition, mtx_t* mutex) {
    return to_result(pthread_cond_wait(posix(condition), posix(mutex)));
}

int cnd_timedwait(cnd_t* condition, mtx_t* mutex, const struct timespec* until) {
    return to_result(pthread_cond_timedwait(posix(condition), posix(mutex), until));
}
}

#endif
