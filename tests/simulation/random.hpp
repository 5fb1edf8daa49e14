// The one source of chance of a simulated run: a small generator that is split by name, so that a part that
// draws more or less does not shift what the others draw. SplitMix64 (Steele, Lea, Flood 2014).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <string_view>

namespace docmap::simulation {

class Random {
  public:
    explicit Random(std::uint64_t seed) : seed_(seed), state_(seed) {}

    /// A generator of its own for the part of that name; the same one whatever was drawn here before.
    Random split(std::string_view part) const {
        std::uint64_t hash = 0xcbf29ce484222325U ^ seed_;
        for (const char character : part)
            hash = (hash ^ static_cast<unsigned char>(character)) * 0x100000001b3U;
        return Random(mix(hash));
    }
    Random split(std::string_view part, std::uint64_t number) const {
        return Random(mix(split(part).seed_ + number));
    }

    std::uint64_t next() { return mix(state_ += 0x9e3779b97f4a7c15U); }

    /// From 0 to `limit` - 1; `limit` is at least 1.
    std::size_t below(std::size_t limit) { return static_cast<std::size_t>(next() % limit); }

    /// From `low` to `high`, both included.
    std::int64_t between(std::int64_t low, std::int64_t high) {
        return low + static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(high - low + 1));
    }
    std::chrono::nanoseconds between(std::chrono::nanoseconds low, std::chrono::nanoseconds high) {
        return std::chrono::nanoseconds{between(low.count(), high.count())};
    }

    bool chance(double probability) { return static_cast<double>(next() >> 11U) * 0x1.0p-53 < probability; }

    template<typename T>
    T pick(std::initializer_list<T> choices) {
        return *std::next(choices.begin(), static_cast<std::ptrdiff_t>(below(choices.size())));
    }

  private:
    static std::uint64_t mix(std::uint64_t value) {
        value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9U;
        value = (value ^ (value >> 27U)) * 0x94d049bb133111ebU;
        return value ^ (value >> 31U);
    }

    std::uint64_t seed_;
    std::uint64_t state_;
};

} // namespace docmap::simulation
