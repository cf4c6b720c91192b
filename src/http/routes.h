// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "http/handler.h"

namespace fiducia::http {

struct Route {
  std::string method;
  std::vector<std::string> segments;  // of the pattern
  std::variant<Handler, StreamHandler> handler;
  std::optional<std::uint64_t> body_bytes_max;  // the server's own where it says nothing
};

/// Which handler answers what. A pattern is a path like "/studies/{study}/series/{series}": a
/// segment in braces matches any one segment, "{rest...}" at the end all that follow, at least one.
/// Where several patterns match, the one whose first different segment is literal wins.
///
/// Paths are compared percent-decoded, segment by segment; a segment that decodes to ".", ".." or
/// to something with a slash matches no parameter, so a parameter may be used as a name. What is
/// known under other methods is 405 with Allow, what is not known 404; HEAD is answered by the
/// handler of GET, OPTIONS with 204 and Allow, unless they have routes of their own.
class Routes {
 public:
  /// The pattern is our own: a malformed one, or the same one twice, ends the program.
  Routes& add(std::string method, std::string_view pattern, Handler handler,
              std::optional<std::uint64_t> body_bytes_max = {});
  Routes& add_stream(std::string method, std::string_view pattern, StreamHandler handler,
                     std::optional<std::uint64_t> body_bytes_max = {});
  /// Answers every method and path, in place of 404, 405 and OPTIONS.
  Routes& add_rest(Handler handler);

  struct Match {
    const Route* route = nullptr;
    Parameters parameters = {};
  };
  /// The route, or the answer where there is none. `path` as sent.
  [[nodiscard]] std::variant<Match, Response> find(std::string_view method,
                                                   std::string_view path) const;
  /// The answer to "OPTIONS *" (RFC 9110 section 9.3.7).
  [[nodiscard]] Response options() const;

 private:
  void add_route(Route route, std::string_view pattern);
  std::vector<Route> routes_;
  std::optional<Route> rest_;
};

/// A short answer in plain text.
[[nodiscard]] Response plain_response(unsigned status, std::string_view text);

}  // namespace fiducia::http
