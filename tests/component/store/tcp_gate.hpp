// A TCP forwarder in front of the test cluster that can be closed and opened: a database that goes away and
// returns.
#pragma once

#include "harness.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace docmap::test {

class TcpGate {
    using Tcp = boost::asio::ip::tcp;

  public:
    /// Forwards to `host:port`. Its own port is free and stays the same; closed until open().
    TcpGate(std::string host, std::string port) : host_(std::move(host)), port_(std::move(port)) {
        Tcp::acceptor probe(loop_.context(), Tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
        endpoint_ = probe.local_endpoint();
    }
    ~TcpGate() { close(); }

    std::uint16_t port() const { return endpoint_.port(); }

    void open() {
        run([this] {
            acceptor_.emplace(loop_.context(), endpoint_);
            accept();
        });
    }

    /// Refuses new connections and cuts those there are.
    void close() {
        run([this] {
            acceptor_.reset();
            for (const auto& socket : sockets_)
                socket->close();
            sockets_.clear();
        });
    }

    /// Forwards nothing more, but keeps the connections: a peer that is gone without a word.
    void freeze() {
        run([this] { frozen_ = true; });
    }

    /// Forwards what new connections send.
    void thaw() {
        run([this] { frozen_ = false; });
    }

  private:
    using SocketPtr = std::shared_ptr<Tcp::socket>;

    template<typename Action>
    void run(Action action) {
        std::promise<void> done;
        boost::asio::post(loop_.context(), [&] {
            action();
            done.set_value();
        });
        done.get_future().get();
    }

    void accept() {
        acceptor_->async_accept([this](boost::system::error_code error, Tcp::socket accepted) {
            if (error || !acceptor_) return;
            auto near = std::make_shared<Tcp::socket>(std::move(accepted));
            auto far = std::make_shared<Tcp::socket>(loop_.context());
            boost::system::error_code failed;
            boost::asio::connect(*far, Tcp::resolver(loop_.context()).resolve(host_, port_), failed);
            if (!failed) {
                sockets_.insert({near, far});
                forward(near, far, std::make_shared<Buffer>());
                forward(far, near, std::make_shared<Buffer>());
            }
            accept();
        });
    }

    using Buffer = std::array<char, 65536>;

    void forward(SocketPtr from, SocketPtr to, std::shared_ptr<Buffer> buffer) {
        from->async_read_some(boost::asio::buffer(*buffer),
                              [=, this](boost::system::error_code error, std::size_t size) {
                                  boost::system::error_code failed = error;
                                  if (frozen_) return;
                                  if (!failed)
                                      boost::asio::write(*to, boost::asio::buffer(*buffer, size), failed);
                                  if (!failed) {
                                      forward(from, to, buffer);
                                      return;
                                  }
                                  from->close(failed);
                                  to->close(failed);
                              });
    }

    std::string host_;
    std::string port_;
    Loop loop_;
    Tcp::endpoint endpoint_;
    std::optional<Tcp::acceptor> acceptor_;
    std::set<SocketPtr> sockets_;
    bool frozen_ = false;
};

} // namespace docmap::test
