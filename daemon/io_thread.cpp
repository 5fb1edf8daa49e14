#include "daemon/io_thread.hpp"

#include <pthread.h>

namespace docmap::daemon {

void IoThread::start() {
    thread_ = std::thread([this] {
        pthread_setname_np(pthread_self(), name_.c_str());
        context_.run();
    });
}

void IoThread::stop() {
    context_.stop();
    if (thread_.joinable()) thread_.join();
}

} // namespace docmap::daemon
