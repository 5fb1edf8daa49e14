// How the repositories wait for the database: work on a pool's thread, awaited by a coroutine of the API.
#pragma once

#include "ports/repositories.hpp"
#include "store/database.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace docmap::store {

/// Runs `work(Connection&) -> ports::RepositoryResult<T>` on the pool and resumes the caller on its own
/// executor. `unavailable` where the database is away or refused the statement. `database` must outlive the
/// call.
template<typename T, typename Work>
ports::RepositoryAwaitable<T> repository_call(Database& database, Work work) {
    const auto executor = co_await boost::asio::this_coro::executor;
    // Named first: g++ 12 destroys a capturing temporary twice inside a co_await expression.
    auto initiate = [&database, executor, call = std::move(work)](auto handler) mutable {
        auto done = [resume = std::move(handler)](base::Result<ports::RepositoryResult<T>> result) mutable {
            if (result.has_value())
                std::move(resume)(std::move(*result));
            else
                std::move(resume)(ports::RepositoryResult<T>(ports::RepositoryError::unavailable));
        };
        run_on(database, executor, std::move(call), std::move(done));
    };
    co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>,
                                                   void(ports::RepositoryResult<T>)>(
        std::move(initiate), boost::asio::use_awaitable);
}

} // namespace docmap::store
