// SPDX-License-Identifier: Apache-2.0
#include "http/client.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <optional>
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
  std::uint32_t stall_timeout_ms = 0;
  ByteSource* source = nullptr;
  ByteSink* sink = nullptr;
  std::stop_token stop;
  std::uint64_t header_bytes = 0;
  std::uint64_t body_bytes = 0;
  std::uint64_t sent_bytes = 0;
  std::uint64_t moved_bytes = 0;  // in both directions, as libcurl counts
  std::chrono::steady_clock::time_point moved_at = std::chrono::steady_clock::now();
  bool too_long = false;
  bool stalled = false;
  bool out_of_memory = false;
  std::optional<Error> failure = {};  // of source or sink
  ClientResponse response = {};
};

std::unexpected<Error> body_failed(std::string what) {
  return fail(ErrorCode::internal, std::move(what), "Report this.");
}

/// C++ exceptions may not pass through libcurl. Time spent in here is not the server's.
template <class Work>
bool without_exceptions(Receiving& to, const Work& work) {
  Status status;
  try {
    status = work();
  } catch (const std::bad_alloc&) {
    to.out_of_memory = true;
    return false;
  } catch (...) {
    status = body_failed("A body could not be moved.");
  }
  to.moved_at = std::chrono::steady_clock::now();
  if (status) return true;
  to.failure = std::move(status).error();
  return false;
}

std::size_t take_body(char* data, std::size_t, std::size_t count, void* target) {
  auto& to = *static_cast<Receiving*>(target);
  if (count > to.body_bytes_max - to.body_bytes) {
    to.too_long = true;
    return CURL_WRITEFUNC_ERROR;
  }
  to.body_bytes += count;
  const bool taken = without_exceptions(to, [&]() -> Status {
    const ByteView bytes = as_bytes(std::string_view{data, count});
    if (to.sink != nullptr && to.response.status / 100 == 2) return to.sink->write(bytes);
    append(to.response.body, bytes);
    return {};
  });
  return taken ? count : CURL_WRITEFUNC_ERROR;
}

std::size_t give_body(char* data, std::size_t, std::size_t room, void* target) {
  auto& to = *static_cast<Receiving*>(target);
  std::size_t count = 0;
  const bool given = without_exceptions(to, [&]() -> Status {
    FIDUCIA_TRY(read, to.source->read(std::as_writable_bytes(std::span{data, room})));
    const auto length = to.source->length_bytes();
    if (read > room ||
        (length && (read == 0 ? to.sent_bytes != *length : read > *length - to.sent_bytes)))
      return body_failed("A body is not as long as was announced.");
    count = read;
    to.sent_bytes += read;
    return {};
  });
  return given ? count : CURL_READFUNC_ABORT;
}

std::size_t take_header(char* data, std::size_t, std::size_t count, void* target) {
  auto& to = *static_cast<Receiving*>(target);
  const std::string_view line{data, count};
  if (line.starts_with("HTTP/")) {  // also after 100 Continue and after a redirect
    to.response.headers.clear();
    to.header_bytes = 0;
    const std::string_view code = line.substr(std::min(line.find(' '), line.size() - 1) + 1);
    to.response.status = 0;
    std::from_chars(code.data(), code.data() + code.size(), to.response.status);
  }
  to.header_bytes += count;
  if (to.header_bytes > limits::http_header_bytes_max) return CURL_WRITEFUNC_ERROR;
  const std::size_t colon = line.find(':');
  // Fields after the body are trailers, which could contradict what was decided upon.
  if (colon == std::string_view::npos || to.body_bytes > 0) return count;
  const std::string_view value = line.substr(colon + 1, line.find_last_not_of("\r\n") - colon);
  const bool taken = without_exceptions(to, [&]() -> Status {
    to.response.headers.emplace_back(lower_case(without_outer_space(line.substr(0, colon))),
                                     std::string{without_outer_space(value)});
    return {};
  });
  return taken ? count : CURL_WRITEFUNC_ERROR;
}

int has_to_stop(void* target, curl_off_t, curl_off_t received, curl_off_t, curl_off_t sent) {
  auto& to = *static_cast<Receiving*>(target);
  const auto now = std::chrono::steady_clock::now();
  const auto moved = static_cast<std::uint64_t>(received) + static_cast<std::uint64_t>(sent);
  if (moved != to.moved_bytes) to.moved_at = now;
  to.moved_bytes = moved;
  to.stalled = now - to.moved_at > std::chrono::milliseconds{to.stall_timeout_ms};
  return to.stop.stop_requested() || to.stalled ? 1 : 0;
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
  if (request.source != nullptr && (!request.body.empty() || request.redirects_max > 0))
    return invalid("A body that is a source can be sent once, and alone.", std::move(shown));
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
  bool added = request.source != nullptr || add("Expect:");
  if (has_body && !find_header(request.headers, "content-type"))
    added = add("Content-Type:") && added;
  for (const auto& [name, value] : request.headers)
    added = add(value.empty() ? name + ";" : name + ": " + value) && added;
  if (!added) list.reset();
  return list;
}

/// `text` is not copied: it outlives the handle.
void set_blob(CURL* curl, CURLoption option, const std::string& text) {
  curl_blob blob{
      .data = const_cast<char*>(text.data()), .len = text.size(), .flags = CURL_BLOB_NOCOPY};
  curl_easy_setopt(curl, option, &blob);
}

void set_tls(CURL* curl, const ClientOptions& options) {
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!options.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, options.ca_file.c_str());
  if (!options.authorities_pem.empty())
    set_blob(curl, CURLOPT_CAINFO_BLOB, options.authorities_pem);
  if (!options.identity) return;
  set_blob(curl, CURLOPT_SSLCERT_BLOB, options.identity->chain_pem);
  set_blob(curl, CURLOPT_SSLKEY_BLOB, options.identity->key_pem);
  if (!options.identity->passphrase.empty())
    curl_easy_setopt(curl, CURLOPT_KEYPASSWD, options.identity->passphrase.c_str());
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
  curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, 65'536L);
  set_tls(curl, options);
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

/// The body as it is pulled, on a connection of its own: on one that the server has meanwhile
/// closed the first bytes would be lost.
void set_source(CURL* curl, const ClientRequest& request, Receiving& received) {
  curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
  curl_easy_setopt(curl, CURLOPT_READFUNCTION, give_body);
  curl_easy_setopt(curl, CURLOPT_READDATA, &received);
  if (const auto length = request.source->length_bytes())
    curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(*length));
  if (request.method != "PUT")
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
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
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
      return "Check the certificates, authorities and clocks of both sides.";
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
  if (received.failure) return std::unexpected(*received.failure);
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
  if (received.stalled)
    return fail(ErrorCode::io_unreadable,
                "Nothing came for " + std::to_string(received.stall_timeout_ms) + " ms.",
                "Try again later; if it stays so, ask whoever runs the server.", std::move(where));
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
  Mutex mutex;
  std::vector<Handle> idle FIDUCIA_GUARDED_BY(mutex);  // each keeps its connections

  Handle take() {
    const MutexLock lock{mutex};
    if (idle.empty()) return {};
    Handle handle = std::move(idle.back());
    idle.pop_back();
    return handle;
  }
  void give_back(Handle handle) {
    const MutexLock lock{mutex};
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
  const bool has_body = request.source != nullptr || !request.body.empty() ||
                        request.method == "POST" || request.method == "PUT";
  const FieldList fields = make_fields(request, has_body);
  if (!handle || !fields)
    return fail(ErrorCode::internal, "libcurl could not be started.", "Report this.",
                Location{.file = std::move(shown)});

  Receiving received{.body_bytes_max = request.response_bytes_max,
                     .stall_timeout_ms = request.stall_timeout_ms,
                     .source = request.source,
                     .sink = request.sink,
                     .stop = request.stop};
  std::array<char, CURL_ERROR_SIZE> details{};
  CURL* const curl = handle.get();
  set_options(curl, request, state_->options, is_loopback(shown));
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, details.data());
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fields.get());
  set_receiver(curl, received);
  if (request.source != nullptr)
    set_source(curl, request, received);
  else
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
