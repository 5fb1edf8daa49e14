#include "ports/repositories.hpp"

#include <stdexcept>

namespace docmap::ports {

void throw_exception_from_error(RepositoryError, const boost::source_location&) {
    throw std::logic_error("the value of a failed repository call was used");
}

} // namespace docmap::ports
