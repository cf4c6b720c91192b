// SPDX-License-Identifier: Apache-2.0
#include "http/response_head.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

#include "http/grammar.h"

namespace fiducia::http {
namespace {

/// RFC 9110 section 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT".
std::string http_date() {
  static constexpr std::array<const char*, 7> days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array<const char*, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  std::array<char, 32> text{};
  // Not strftime's names, which follow the locale.
  std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                days[static_cast<std::size_t>(utc.tm_wday)], utc.tm_mday,
                months[static_cast<std::size_t>(utc.tm_mon)], utc.tm_year + 1900, utc.tm_hour,
                utc.tm_min, utc.tm_sec);
  return text.data();
}

/// RFC 9110 section 15; clients read the number.
std::string_view reason_of(unsigned status) {
  struct Row {
    unsigned status;
    std::string_view reason;
  };
  static constexpr std::array rows{
      Row{200, "OK"},
      Row{201, "Created"},
      Row{202, "Accepted"},
      Row{204, "No Content"},
      Row{206, "Partial Content"},
      Row{301, "Moved Permanently"},
      Row{302, "Found"},
      Row{303, "See Other"},
      Row{304, "Not Modified"},
      Row{307, "Temporary Redirect"},
      Row{308, "Permanent Redirect"},
      Row{400, "Bad Request"},
      Row{401, "Unauthorized"},
      Row{403, "Forbidden"},
      Row{404, "Not Found"},
      Row{405, "Method Not Allowed"},
      Row{406, "Not Acceptable"},
      Row{408, "Request Timeout"},
      Row{409, "Conflict"},
      Row{410, "Gone"},
      Row{411, "Length Required"},
      Row{412, "Precondition Failed"},
      Row{413, "Content Too Large"},
      Row{415, "Unsupported Media Type"},
      Row{416, "Range Not Satisfiable"},
      Row{417, "Expectation Failed"},
      Row{422, "Unprocessable Content"},
      Row{429, "Too Many Requests"},
      Row{431, "Request Header Fields Too Large"},
      Row{500, "Internal Server Error"},
      Row{501, "Not Implemented"},
      Row{502, "Bad Gateway"},
      Row{503, "Service Unavailable"},
      Row{504, "Gateway Timeout"},
      Row{505, "HTTP Version Not Supported"},
  };
  const auto* const row = std::ranges::find(rows, status, &Row::status);
  return row != rows.end() ? row->reason : "Status";
}

/// Whether the server, not the handler, writes this field.
bool is_own_field(std::string_view name) {
  const std::string lower = lower_case(name);
  return lower == "content-length" || lower == "connection" || lower == "date" ||
         lower == "transfer-encoding" || lower == "keep-alive";
}

}  // namespace

bool may_have_body(unsigned status) { return status >= 200 && status != 204 && status != 304; }

bool is_sound(const Response& response) {
  return response.status >= 200 && response.status <= 599 &&
         std::ranges::all_of(response.headers, [](const auto& field) {
           return is_token(field.first) && is_field_value(field.second);
         });
}

std::string write_head(const Response& response, Framing framing,
                       std::optional<std::uint64_t> length_bytes, bool keep_alive) {
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + " ";
  head += reason_of(response.status);
  head += "\r\n";
  for (const auto& [name, value] : response.headers)
    if (!is_own_field(name)) head.append(name).append(": ").append(value).append("\r\n");
  if (framing == Framing::chunked) {
    head += "Transfer-Encoding: chunked\r\n";
  } else if (length_bytes && framing != Framing::to_the_end && may_have_body(response.status)) {
    head += "Content-Length: " + std::to_string(*length_bytes) + "\r\n";
  }
  head += "Date: " + http_date() + "\r\n";
  head += keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
  return head;
}

}  // namespace fiducia::http
