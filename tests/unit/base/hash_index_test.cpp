#include "base/hash_index.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <random>

namespace docmap::test {
namespace {

struct Item {
    int number;
};

/// Few different values, so that hashes often want the same place.
struct Crowded {
    std::uint64_t operator()(std::uint64_t hash) const { return hash % 7; }
};

struct AsItIs {
    std::uint64_t operator()(std::uint64_t hash) const { return hash; }
};

/// The last places, so that items wrap around to the first ones.
struct AtTheEnd {
    std::uint64_t operator()(std::uint64_t hash) const { return ~std::uint64_t{0} - hash % 3; }
};

using Index = base::HashIndex<std::uint64_t, Item, AsItIs>;

TEST(HashIndexTest, nothing_is_found_in_an_empty_one) {
    Index index;
    index.fetch_ahead(1);
    EXPECT_EQ(index.find(1), nullptr);
    EXPECT_EQ(index.erase(1), nullptr);
    EXPECT_EQ(index.size(), 0U);
}

TEST(HashIndexTest, what_is_inserted_is_found_and_what_is_erased_is_not) {
    Index index;
    const Item& inserted = index.insert(5, std::make_unique<Item>(Item{50}));
    EXPECT_EQ(index.find(5), &inserted);
    EXPECT_EQ(index.find(6), nullptr);
    const std::unique_ptr<Item> erased = index.erase(5);
    ASSERT_NE(erased, nullptr);
    EXPECT_EQ(erased->number, 50);
    EXPECT_EQ(index.find(5), nullptr);
    EXPECT_EQ(index.size(), 0U);
}

TEST(HashIndexTest, items_stay_in_place_while_it_grows) {
    Index index;
    const Item& first = index.insert(0, std::make_unique<Item>(Item{0}));
    for (int number = 1; number < 1000; ++number)
        index.insert(static_cast<std::uint64_t>(number), std::make_unique<Item>(Item{number}));
    EXPECT_EQ(index.size(), 1000U);
    EXPECT_EQ(index.find(0), &first);
    for (int number = 0; number < 1000; ++number)
        ASSERT_EQ(index.find(static_cast<std::uint64_t>(number))->number, number);
}

TEST(HashIndexTest, it_can_be_used_again_after_it_was_cleared) {
    Index index;
    index.insert(1, std::make_unique<Item>(Item{1}));
    index.clear();
    EXPECT_EQ(index.find(1), nullptr);
    index.insert(1, std::make_unique<Item>(Item{2}));
    EXPECT_EQ(index.find(1)->number, 2);
}

/// Compared with a map, over many random steps, with hashes that want the same places.
template<typename Low>
void expect_to_be_like_a_map(std::uint64_t seed) {
    std::mt19937_64 random(seed);
    base::HashIndex<std::uint64_t, Item, Low> index;
    std::map<std::uint64_t, int> map;
    for (int step = 0; step < 20'000; ++step) {
        const std::uint64_t hash = random() % 60;
        if (random() % 2 == 0 && !map.contains(hash)) {
            index.insert(hash, std::make_unique<Item>(Item{step}));
            map.emplace(hash, step);
        } else {
            const std::unique_ptr<Item> erased = index.erase(hash);
            ASSERT_EQ(erased != nullptr, map.erase(hash) == 1);
        }
        ASSERT_EQ(index.size(), map.size());
        for (std::uint64_t each = 0; each < 60; ++each) {
            const Item* const found = index.find(each);
            const auto expected = map.find(each);
            ASSERT_EQ(found != nullptr, expected != map.end()) << "hash " << each << ", step " << step;
            if (found != nullptr) {
                ASSERT_EQ(found->number, expected->second);
            }
        }
    }
}

TEST(HashIndexTest, it_is_like_a_map) {
    expect_to_be_like_a_map<AsItIs>(1);
}

TEST(HashIndexTest, it_is_like_a_map_where_many_want_the_same_place) {
    expect_to_be_like_a_map<Crowded>(2);
}

TEST(HashIndexTest, it_is_like_a_map_where_places_wrap_around) {
    expect_to_be_like_a_map<AtTheEnd>(3);
}

} // namespace
} // namespace docmap::test
