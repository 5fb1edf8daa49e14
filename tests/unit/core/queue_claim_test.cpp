#include "core/queue_claim.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace docmap::core {
namespace {

using namespace std::chrono_literals;

constexpr base::SteadyTime start{1000s};

TEST(Lease, PermitsNothingBeforeItIsExtended) {
    const Lease lease;
    EXPECT_FALSE(lease.permits(start));
    EXPECT_FALSE(lease.permits(base::SteadyTime{}));
    EXPECT_FALSE(lease.permits(base::SteadyTime::min()));
}

TEST(Lease, PermitsWhatBeginsBeforeItsTime) {
    Lease lease;
    lease.extend(start);
    EXPECT_TRUE(lease.permits(start - 1ns));
    EXPECT_FALSE(lease.permits(start));
    EXPECT_FALSE(lease.permits(start + 1ns));
    lease.extend(start + 10s);
    EXPECT_TRUE(lease.permits(start + 10s - 1ns));
    EXPECT_FALSE(lease.permits(start + 10s));
}

TEST(Lease, PermitsNothingOnceItHasEnded) {
    Lease lease;
    lease.extend(start + 10s);
    lease.end();
    EXPECT_FALSE(lease.permits(start));
    EXPECT_FALSE(lease.permits(base::SteadyTime::min()));
}

} // namespace
} // namespace docmap::core
