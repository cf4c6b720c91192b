// SPDX-License-Identifier: Apache-2.0
#include "http/routes.h"

#include <algorithm>
#include <set>

#include "http/grammar.h"

namespace fiducia::http {
namespace {

bool is_parameter(std::string_view segment) {
  return segment.size() > 2 && segment.starts_with('{') && segment.ends_with('}');
}
bool takes_rest(std::string_view segment) {
  return is_parameter(segment) && segment.ends_with("...}");
}
std::string_view name_of(std::string_view segment) {
  return segment.substr(1, segment.size() - (takes_rest(segment) ? 5 : 2));
}

/// "/a//b" has the segments "a", "" and "b".
std::vector<std::string_view> split_path(std::string_view path) {
  std::vector<std::string_view> segments;
  path.remove_prefix(1);
  while (true) {
    const std::size_t slash = path.find('/');
    segments.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return segments;
    path.remove_prefix(slash + 1);
  }
}

bool is_name(std::string_view decoded) {
  return !decoded.empty() && decoded != "." && decoded != ".." && !decoded.contains('/');
}

/// What the parameters are when `path` has the form of `pattern`.
std::optional<Parameters> match_path(const std::vector<std::string>& pattern,
                                     const std::vector<std::string>& path) {
  Parameters parameters;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (i >= path.size()) return std::nullopt;
    if (takes_rest(pattern[i])) {
      std::string rest;
      for (std::size_t k = i; k < path.size(); ++k) {
        if (!is_name(path[k])) return std::nullopt;
        rest += (k > i ? "/" : "") + path[k];
      }
      parameters.emplace_back(name_of(pattern[i]), std::move(rest));
      return parameters;
    }
    if (is_parameter(pattern[i])) {
      if (!is_name(path[i])) return std::nullopt;
      parameters.emplace_back(name_of(pattern[i]), path[i]);
    } else if (pattern[i] != path[i]) {
      return std::nullopt;
    }
  }
  if (pattern.size() != path.size()) return std::nullopt;
  return parameters;
}

/// Literal segments before parameters, those before the rest of a path.
int rank(std::string_view segment) {
  if (takes_rest(segment)) return 2;
  return is_parameter(segment) ? 1 : 0;
}
bool is_more_exact(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  return std::ranges::lexicographical_compare(a, b, {}, rank, rank);
}

std::string joined(const std::set<std::string>& methods) {
  std::string list;
  for (const std::string& method : methods) list += (list.empty() ? "" : ", ") + method;
  return list;
}
void complete(std::set<std::string>& methods) {
  if (methods.contains("GET")) methods.insert("HEAD");
  methods.insert("OPTIONS");
}

}  // namespace

Response plain_response(unsigned status, std::string_view text) {
  Response response{.status = status, .headers = {{"content-type", "text/plain; charset=utf-8"}}};
  append(response.body, as_bytes(text));
  append(response.body, as_bytes("\n"));
  return response;
}

std::string_view parameter(const Request& request, std::string_view name) {
  const auto found = std::ranges::find(request.parameters, name, &Parameters::value_type::first);
  FIDUCIA_ASSERT(found != request.parameters.end());
  return found->second;
}

void Routes::add_route(Route route, std::string_view pattern) {
  FIDUCIA_ASSERT(pattern.starts_with('/') && is_token(route.method));
  for (const std::string_view segment : split_path(pattern)) {
    FIDUCIA_ASSERT(route.segments.empty() || !takes_rest(route.segments.back()));
    FIDUCIA_ASSERT(is_parameter(segment) || segment.find_first_of("{}") == std::string_view::npos);
    route.segments.emplace_back(segment);
  }
  for (const Route& other : routes_)
    FIDUCIA_ASSERT(other.method != route.method || other.segments != route.segments);
  routes_.push_back(std::move(route));
  std::ranges::stable_sort(routes_, is_more_exact, &Route::segments);
}

Routes& Routes::add(std::string method, std::string_view pattern, Handler handler,
                    std::optional<std::uint64_t> body_bytes_max) {
  add_route({.method = std::move(method),
             .segments = {},
             .handler = std::move(handler),
             .body_bytes_max = body_bytes_max},
            pattern);
  return *this;
}

Routes& Routes::add_stream(std::string method, std::string_view pattern, StreamHandler handler,
                           std::optional<std::uint64_t> body_bytes_max) {
  add_route({.method = std::move(method),
             .segments = {},
             .handler = std::move(handler),
             .body_bytes_max = body_bytes_max},
            pattern);
  return *this;
}

Routes& Routes::add_rest(Handler handler) {
  rest_ = Route{.method = {}, .segments = {}, .handler = std::move(handler), .body_bytes_max = {}};
  return *this;
}

std::variant<Routes::Match, Response> Routes::find(std::string_view method,
                                                   std::string_view path) const {
  std::vector<std::string> segments;
  for (const std::string_view segment : split_path(path)) {
    auto decoded = percent_decode(segment);
    if (!decoded && rest_) return Match{.route = &*rest_};  // its own business
    if (!decoded) return plain_response(400, "Bad request.");
    segments.push_back(std::move(*decoded));
  }
  std::set<std::string> allowed;
  const Route* by_get = nullptr;
  Parameters get_parameters;
  for (const Route& route : routes_) {
    auto parameters = match_path(route.segments, segments);
    if (!parameters) continue;
    if (route.method == method) return Match{.route = &route, .parameters = std::move(*parameters)};
    if (method == "HEAD" && route.method == "GET" && by_get == nullptr) {
      by_get = &route;
      get_parameters = std::move(*parameters);
    }
    allowed.insert(route.method);
  }
  if (by_get != nullptr) return Match{.route = by_get, .parameters = std::move(get_parameters)};
  if (rest_) return Match{.route = &*rest_};
  if (allowed.empty()) return plain_response(404, "Not found.");
  complete(allowed);
  if (method == "OPTIONS") return Response{.status = 204, .headers = {{"allow", joined(allowed)}}};
  Response response = plain_response(405, "This method is not allowed here.");
  response.headers.emplace_back("allow", joined(allowed));
  return response;
}

Response Routes::options() const {
  std::set<std::string> all;
  for (const Route& route : routes_) all.insert(route.method);
  complete(all);
  if (rest_) return {.status = 204};  // who knows what that takes
  return {.status = 204, .headers = {{"allow", joined(all)}}};
}

}  // namespace fiducia::http
