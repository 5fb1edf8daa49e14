#include "net/deadline_queue.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace docmap::test {
namespace {

using namespace std::chrono_literals;

struct Place;

struct Item : net::DeadlineHook<Place> {
    explicit Item(int number) : id(number) {}
    int id;
};

using Queue = net::DeadlineQueue<Item, Place>;

const base::SteadyTime start{};

std::vector<int> drain(Queue& queue) {
    std::vector<int> order;
    while (!queue.empty()) {
        order.push_back(queue.front().id);
        queue.remove(queue.front());
    }
    return order;
}

TEST(DeadlineQueueTest, the_earliest_comes_first_whatever_the_order_of_adding) {
    Item late(1), early(2), middle(3);
    Queue queue;
    queue.push(late, start + 3s);
    queue.push(early, start + 1s);
    queue.push(middle, start + 2s);
    EXPECT_EQ(queue.size(), 3U);
    EXPECT_EQ(queue.first_due(), start + 1s);
    EXPECT_EQ(drain(queue), (std::vector{2, 3, 1}));
}

TEST(DeadlineQueueTest, of_equal_deadlines_the_first_added_comes_first) {
    Item first(1), second(2);
    Queue queue;
    queue.push(first, start);
    queue.push(second, start);
    EXPECT_EQ(drain(queue), (std::vector{1, 2}));
}

TEST(DeadlineQueueTest, a_deadline_is_due_from_its_own_time_on) {
    Item item(1);
    Queue queue;
    EXPECT_FALSE(queue.is_due(start));
    queue.push(item, start + 1s);
    EXPECT_EQ(queue.due(item), start + 1s);
    EXPECT_FALSE(queue.is_due(start + 999ms));
    EXPECT_TRUE(queue.is_due(start + 1s));
    queue.remove(item);
}

TEST(DeadlineQueueTest, what_replaces_another_is_due_in_its_place) {
    Item early(1), middle(2), late(3), instead(4);
    Queue queue;
    queue.push(early, start + 1s);
    queue.push(middle, start + 2s);
    queue.push(late, start + 3s);
    queue.replace(middle, instead);
    queue.remove(middle); // which is not listed any more
    EXPECT_EQ(queue.size(), 3U);
    EXPECT_EQ(queue.due(instead), start + 2s);
    EXPECT_EQ(drain(queue), (std::vector{1, 4, 3}));
}

TEST(DeadlineQueueTest, removing_what_is_not_listed_does_nothing) {
    Item item(1);
    Queue queue;
    queue.remove(item);
    EXPECT_EQ(queue.size(), 0U);
    queue.push(item, start);
    queue.remove(item);
    queue.remove(item);
    EXPECT_TRUE(queue.empty());
}

} // namespace
} // namespace docmap::test
