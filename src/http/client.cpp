// SPDX-License-Identifier: Apache-2.0
#include "http/client.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <vector>

#include "http/grammar.h"

namespace fiducia::http {
namespace {

template <auto Free>
struct Freed {
  void operator()(auto* handle) const noexcept { Free(handle); }
};
using Handle = std::unique_ptr<CURL, Freed<curl_easy_cleanup>>;
using FieldList = std::unique_ptr<curl_slist, Freed<curl_slist_free_all>>;

/// libcurl wants this once a process, before its first use; a static is initialised exactly so.
bool start_libcurl() {
  static const bool started = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  return started;
}

/// What libcurl's callbacks fill in.
struct Receiving {
  std::uint64_t body_bytes_max = 0;
  std::uint64_t header_bytes = 0;
  bool too_long = false;
  bool out_of_memory = false;
  std::stop_token stop;
  ClientResponse response = {};
};

/// C++ exceptions may not pass through libcurl.
template <class Work>
bool without_exceptions(Receiving& to, const Work& work) {
  try {
    work();
    return true;
  } catch (const std::bad_alloc&) {
    to.out_of_memory = true;
    return false;
  }
}

std::size_t take_body(char* data, std::size_t, std::size_t count, void* target) {
  auto& to = *static_cast<Receiving*>(target);
  if (count > to.body_bytes_max - to.response.body.size()) {
    to.too_long = true;
    return CURL_WRITEFUNC_ERROR;
  }
  const bool taken = without_exceptions(
      to, [&] { append(to.response.body, as_bytes(std::string_view{data, count})); });
  return taken ? count : CURL_WRITEFUNC_ERROR;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blank = " \t\r\n";
  const std::size_t first = text.find_first_not_of(blank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

std::size_t take_header(char* data, std::size_t, std::size_t count, void* target) {
  auto& to = *static_cast<Receiving*>(target);
  const std::string_view line{data, count};
  if (line.starts_with("HTTP/")) {  // also after 100 Continue and after a redirect
    to.response.headers.clear();
    to.header_bytes = 0;
  }
  to.header_bytes += count;
  if (to.header_bytes > limits::http_header_bytes_max) return CURL_WRITEFUNC_ERROR;
  const std::size_t colon = line.find(':');
  // Fields after the body are trailers, which could contradict what was decided upon.
  if (colon == std::string_view::npos || !to.response.body.empty()) return count;
  const bool taken = without_exceptions(to, [&] {
    to.response.headers.emplace_back(lower_case(trimmed(line.substr(0, colon))),
                                     std::string{trimmed(line.substr(colon + 1))});
  });
  return taken ? count : CURL_WRITEFUNC_ERROR;
}

int has_to_stop(void* target, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const Receiving*>(target)->stop.stop_requested() ? 1 : 0;
}

std::unexpected<Error> invalid(std::string what, std::string url) {
  return fail(ErrorCode::usage_invalid, std::move(what),
              "Give a URL like https://example.org/path.", Location{.file = std::move(url)});
}

/// Checks all that goes into the request's head, so that nothing can end a line early.
Status check_request(const ClientRequest& request) {
  std::string shown = printable_url(request.url);
  if (shown == not_a_url)
    return invalid("Only http and https URLs can be asked.", std::move(shown));
  if (!std::ranges::all_of(request.url, [](char c) { return c > 0x20 && c < 0x7F; }))
    return invalid("The URL holds a space, a control character or a letter that is not ASCII.",
                   std::move(shown));
  if (!is_token(request.method))
    return invalid("The method of the request is not a token of HTTP.", std::move(shown));
  for (const auto& [name, value] : request.headers)
    if (!is_token(name) || !is_field_value(value))
      return invalid("A header field of the request has forbidden characters.", std::move(shown));
  return {};
}

/// Name in front of the port, without brackets, of a URL that `printable_url` wrote.
bool is_loopback(std::string_view shown) {
  std::string_view rest = shown.substr(shown.find("://") + 3);
  rest = rest.substr(0, rest.find('/'));
  if (rest.starts_with("[::1]")) return true;
  rest = rest.substr(0, rest.find(':'));
  return rest == "localhost" || rest.starts_with("127.");
}

FieldList make_fields(const ClientRequest& request, bool has_body) {
  FieldList list;
  const auto add = [&list](const std::string& line) {
    if (curl_slist* grown = curl_slist_append(list.get(), line.c_str()); grown != nullptr) {
      static_cast<void>(list.release());
      list.reset(grown);
      return true;
    }
    return false;
  };
  // "Name:" takes a field of libcurl's own away, "Name;" sends it empty. Without the first line
  // libcurl would wait a second for 100 Continue; the second would call any body a web form.
  bool added = add("Expect:");
  if (has_body && !find_header(request.headers, "content-type"))
    added = add("Content-Type:") && added;
  for (const auto& [name, value] : request.headers)
    added = add(value.empty() ? name + ";" : name + ": " + value) && added;
  if (!added) list.reset();
  return list;
}

/// All that does not point at something of one call. `loopback`: no proxy.
void set_options(CURL* curl, const ClientRequest& request, const ClientOptions& options,
                 bool loopback) {
  curl_easy_reset(curl);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  if (loopback) curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, request.redirects_max > 0 ? 1L : 0L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, static_cast<long>(request.redirects_max));
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_timeout_ms));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(request.total_timeout_ms));
  curl_easy_setopt(curl, CURLOPT_USERAGENT, options.user_agent.c_str());
  if (!options.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, options.ca_file.c_str());
  // A length that is announced and too large is refused before the first byte of the body (0 would
  // mean any). HEAD only announces.
  if (request.method != "HEAD" && std::in_range<curl_off_t>(request.response_bytes_max))
    curl_easy_setopt(
        curl, CURLOPT_MAXFILESIZE_LARGE,
        static_cast<curl_off_t>(std::max<std::uint64_t>(request.response_bytes_max, 1)));
}

void set_receiver(CURL* curl, Receiving& received) {
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &received);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &received);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, has_to_stop);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &received);
}

void set_method(CURL* curl, const ClientRequest& request, bool has_body) {
  if (has_body) {
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, reinterpret_cast<const char*>(request.body.data()));
    if (request.body.empty()) curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "");
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.body.size()));
    if (request.method != "POST")
      curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  } else if (request.method == "HEAD") {
    curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  } else if (request.method != "GET") {
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
}

std::string remedy_of(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
      return "Check the address, and whether the server runs and can be reached from here.";
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
      return "Trust the certificate authority of the server, or fix its certificate.";
    default:
      return "Try again later; if it stays so, ask whoever runs the server.";
  }
}

std::unexpected<Error> failed(CURLcode code, const Receiving& received, const char* details,
                              std::string url) {
  Location where{.file = std::move(url)};
  if (received.out_of_memory)
    return fail(ErrorCode::over_limit, "Memory does not suffice for the response.",
                "Close other programs, or add memory.", std::move(where));
  if (received.too_long || code == CURLE_FILESIZE_EXCEEDED)
    return fail(ErrorCode::over_limit,
                "The response is longer than the " + std::to_string(received.body_bytes_max) +
                    " bytes that are allowed here.",
                "Check that the URL is the right one.", std::move(where));
  if (received.header_bytes > limits::http_header_bytes_max)
    return fail(ErrorCode::io_unreadable,
                "The header of the response is longer than " +
                    std::to_string(limits::http_header_bytes_max) + " bytes.",
                "Check that the URL is the right one.", std::move(where));
  if (code == CURLE_ABORTED_BY_CALLBACK)
    return fail(ErrorCode::io_unreadable, "The request was stopped.", {}, std::move(where));
  std::string text = *details != '\0' ? details : curl_easy_strerror(code);
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, '?');
  while (text.ends_with('.')) text.pop_back();
  return fail(ErrorCode::io_unreadable, "No response: " + text + ".", remedy_of(code),
              std::move(where));
}

}  // namespace

struct Client::State {
  ClientOptions options;
  std::mutex mutex;
  std::vector<Handle> idle;  // guarded by mutex; each keeps its connections

  Handle take() {
    const std::scoped_lock lock{mutex};
    if (idle.empty()) return {};
    Handle handle = std::move(idle.back());
    idle.pop_back();
    return handle;
  }
  void give_back(Handle handle) {
    const std::scoped_lock lock{mutex};
    idle.push_back(std::move(handle));
  }
};

Client::Client(ClientOptions options) : state_(std::make_unique<State>()) {
  state_->options = std::move(options);
}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

Result<ClientResponse> Client::send(const ClientRequest& request) const {
  FIDUCIA_CHECK(check_request(request));
  std::string shown = printable_url(request.url);
  Handle handle;
  if (start_libcurl()) handle = state_->take();
  if (!handle && start_libcurl()) handle.reset(curl_easy_init());
  const bool has_body =
      !request.body.empty() || request.method == "POST" || request.method == "PUT";
  const FieldList fields = make_fields(request, has_body);
  if (!handle || !fields)
    return fail(ErrorCode::internal, "libcurl could not be started.", "Report this.",
                Location{.file = std::move(shown)});

  Receiving received{.body_bytes_max = request.response_bytes_max, .stop = request.stop};
  std::array<char, CURL_ERROR_SIZE> details{};
  CURL* const curl = handle.get();
  set_options(curl, request, state_->options, is_loopback(shown));
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, details.data());
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fields.get());
  set_receiver(curl, received);
  set_method(curl, request, has_body);

  const CURLcode code = curl_easy_perform(curl);
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  // The buffer for details ends with this call; the handle does not.
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, nullptr);
  state_->give_back(std::move(handle));
  if (code != CURLE_OK) return failed(code, received, details.data(), std::move(shown));
  received.response.status = static_cast<unsigned>(status);
  return std::move(received.response);
}

}  // namespace fiducia::http
