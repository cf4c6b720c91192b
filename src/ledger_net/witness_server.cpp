// SPDX-License-Identifier: Apache-2.0
#include "ledger_net/witness_server.h"

namespace fiducia::ledger_net {
namespace {

constexpr const char* plain_text = "text/plain; charset=utf-8";

http::Response respond(unsigned status, std::string_view body,
                       std::string content_type = plain_text, http::Headers more = {}) {
  http::Response response{.status = status,
                          .headers = {{"Content-Type", std::move(content_type)},
                                      {"Cache-Control", "no-store"},
                                      {"X-Content-Type-Options", "nosniff"}}};
  response.headers.insert(response.headers.end(), more.begin(), more.end());
  const ByteView bytes = as_bytes(body);
  response.body.assign(bytes.begin(), bytes.end());
  return response;
}

/// The witness's own trouble: its code, but not its paths, for a stranger.
http::Response respond_trouble(const Error& error) {
  const bool passing = error.code == ErrorCode::busy;
  return respond(passing ? 503 : 500, code_word(error) + "\n", plain_text,
                 passing ? http::Headers{{"Retry-After", "1"}} : http::Headers{});
}

http::Response not_allowed(const char* methods) {
  return respond(405, "method not allowed\n", plain_text, {{"Allow", methods}});
}

http::Response add_checkpoint(const witness::Witness& witness, const http::Request& request,
                              const WitnessJournal& journal) {
  const auto answer = witness.add_checkpoint(as_text(request.body));
  if (!answer) {
    if (journal) journal({.peer = request.peer, .answer = {}, .error = answer.error()});
    return respond_trouble(answer.error());
  }
  if (journal) journal({.peer = request.peer, .answer = *answer});
  return respond(std::to_underlying(answer->status), answer->body, answer->content_type);
}

http::Response show_latest(const witness::Witness& witness, std::string_view hash) {
  const auto note = witness.latest(hash);
  if (!note) return respond_trouble(note.error());
  if (!*note) return respond(404, "no checkpoint of this log\n");
  return respond(200, **note);
}

}  // namespace

http::Handler serve_witness(const witness::Witness& witness, std::string prefix,
                            WitnessJournal journal) {
  return [&witness, prefix = std::move(prefix),
          journal = std::move(journal)](const http::Request& request) {
    std::string_view path = request.path;
    constexpr std::string_view checkpoint = "/checkpoint";
    if (!path.starts_with(prefix)) return respond(404, "not found\n");
    path.remove_prefix(prefix.size());
    if (path == "/add-checkpoint")
      return request.method == "POST" ? add_checkpoint(witness, request, journal)
                                      : not_allowed("POST");
    if (!path.starts_with('/') || !path.ends_with(checkpoint)) return respond(404, "not found\n");
    if (request.method != "GET" && request.method != "HEAD") return not_allowed("GET, HEAD");
    path.remove_prefix(1);
    path.remove_suffix(std::min(path.size(), checkpoint.size()));
    return show_latest(witness, path);
  };
}

}  // namespace fiducia::ledger_net
