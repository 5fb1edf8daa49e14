// The state of each part the daemon depends on, as `/ready` shows it.
// Thread-safe. Lives as long as the process; the parts report, the API reads.
#pragma once

#include <map>
#include <mutex>
#include <string>

namespace docmap::base {

class HealthBoard {
  public:
    struct Part {
        bool ready = false;
        std::string detail; ///< why it is not ready; one readable line without secrets
    };

    /// Makes `part` known as not ready yet, with the reason to show.
    void expect(const std::string& part, const std::string& detail);

    /// Reports the state of `part`. Returns true where `ready` changed, so that the caller logs a change
    /// once.
    bool report(const std::string& part, bool ready, const std::string& detail = {});

    /// All parts by name.
    std::map<std::string, Part> parts() const;

    /// True when every part is ready.
    bool ready() const;

  private:
    mutable std::mutex mutex_;
    std::map<std::string, Part> parts_;
};

} // namespace docmap::base
