#include "api/router.hpp"

#include <boost/beast/http/verb.hpp>

#include <cstddef>
#include <limits>
#include <optional>
#include <set>
#include <utility>

namespace docmap::api {

namespace {

std::vector<std::string> split(std::string_view path) {
    std::vector<std::string> segments;
    while (!path.empty()) {
        path.remove_prefix(1);
        const std::size_t end = path.find('/');
        segments.emplace_back(path.substr(0, end));
        path.remove_prefix(end == std::string_view::npos ? path.size() : end);
    }
    return segments;
}

bool is_parameter(const std::string& segment) {
    return segment.starts_with('{');
}

std::optional<PathParameters> fit(const std::vector<std::string>& path_template,
                                  const std::vector<std::string>& segments) {
    if (path_template.size() != segments.size()) return std::nullopt;
    PathParameters parameters;
    for (std::size_t i = 0; i < segments.size(); ++i) {
        const std::string& part = path_template[i];
        if (is_parameter(part) && !segments[i].empty())
            parameters.emplace(part.substr(1, part.size() - 2), segments[i]);
        else if (part != segments[i])
            return std::nullopt;
    }
    return parameters;
}

std::string allowed(const std::set<http::verb>& methods) {
    std::string list;
    const auto add = [&](http::verb method) {
        if (!list.empty()) list += ", ";
        list += http::to_string(method);
    };
    for (const http::verb method : methods) {
        add(method);
        if (method == http::verb::get) add(http::verb::head);
    }
    return list;
}

} // namespace

Router::Router(std::vector<Route> routes) : routes_(std::move(routes)) {
    for (const Route& route : routes_)
        templates_.push_back(split(route.path));
}

Router::Match Router::match(http::verb method, const std::vector<std::string>& segments) const {
    const http::verb wanted = method == http::verb::head ? http::verb::get : method;
    std::size_t fewest = std::numeric_limits<std::size_t>::max();
    std::set<http::verb> methods;
    std::optional<Found> found;
    for (std::size_t i = 0; i < routes_.size(); ++i) {
        std::optional<PathParameters> parameters = fit(templates_[i], segments);
        if (!parameters || parameters->size() > fewest) continue;
        if (parameters->size() < fewest) {
            fewest = parameters->size();
            methods.clear();
            found.reset();
        }
        methods.insert(routes_[i].method);
        if (routes_[i].method == wanted) found = Found{&routes_[i], std::move(*parameters)};
    }
    if (found) return std::move(*found);
    if (methods.empty()) return NoSuchPath{};
    return WrongMethod{allowed(methods)};
}

} // namespace docmap::api
