// SPDX-License-Identifier: Apache-2.0
#include "ledger_net/time_stamp_client.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "ledger_format/ledger_format.h"

namespace fiducia::ledger_net {
namespace {

constexpr std::string_view query_type = "application/timestamp-query";
constexpr std::string_view reply_type = "application/timestamp-reply";

/// Whether a Content-Type names `type`, whatever its case and parameters (RFC 9110 section 8.3.1).
bool is_type(const http::Headers& headers, std::string_view type) {
  const auto value = http::find_header(headers, "content-type");
  if (!value) return false;
  std::string_view essence = value->substr(0, value->find(';'));
  while (!essence.empty() && (essence.back() == ' ' || essence.back() == '\t'))
    essence.remove_suffix(1);
  return std::ranges::equal(essence, type, [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
  });
}

/// The error of one authority, with its name and where it was asked.
std::unexpected<Error> of_source(const TimeStampSource& source, Error error) {
  error.what = "Time-stamp authority " + source.name + ": " + error.what;
  if (error.where.file.empty()) error.where.file = http::printable_url(source.url);
  return std::unexpected(std::move(error));
}

struct Verified {
  Bytes token;
  UnixTime latest;
};

Result<Verified> ask(const http::Client& client, const TimeStampSource& source,
                     const Digest& imprint, const TimeStampOptions& options) {
  const std::string policy = source.policies.empty() ? std::string() : source.policies.front();
  FIDUCIA_TRY(question, crypto::make_time_stamp_request(imprint, policy));
  FIDUCIA_TRY(response, client.send({.method = "POST",
                                     .url = source.url,
                                     .headers = {{"Content-Type", std::string(query_type)},
                                                 {"Accept", std::string(reply_type)}},
                                     .body = question.encoded,
                                     .response_bytes_max = limits::time_stamp_bytes_max,
                                     .total_timeout_ms = options.total_timeout_ms,
                                     .redirects_max = 0,
                                     .stop = options.stop}));
  if (response.status != 200)
    return fail(ErrorCode::io_unreadable,
                "it answered with HTTP status " + std::to_string(response.status) + ".",
                "Check its URL, and whether it asks for a contract or an account.");
  if (!is_type(response.headers, reply_type))
    return fail_malformed("time_stamp", "what it answered is not a time-stamp reply.");
  FIDUCIA_TRY(token, crypto::read_time_stamp_response(response.body));
  FIDUCIA_TRY(stamp, crypto::verify_time_stamp(token, {.imprint = imprint,
                                                       .anchors = source.anchors,
                                                       .policies = source.policies,
                                                       .nonce = question.nonce}));
  const UnixTime now = options.clock();
  if (std::abs(stamp.at.seconds - now.seconds) > options.clock_gap_s)
    return fail(ErrorCode::signature_bad,
                "its clock says " + to_rfc3339(stamp.at) + ", ours " + to_rfc3339(now) + ".",
                "Set the clock here by NTP; if it is right, do not use this authority.");
  return Verified{.token = std::move(token), .latest = stamp.latest};
}

}  // namespace

Result<std::vector<TimeStampReport>> request_time_stamps(const http::Client& client,
                                                         std::span<const TimeStampSource> sources,
                                                         std::string_view checkpoint,
                                                         const TimeStampOptions& options) {
  if (sources.size() > limits::time_stamps_max)
    return fail(ErrorCode::usage_invalid,
                std::to_string(sources.size()) + " time-stamp authorities are more than " +
                    std::to_string(limits::time_stamps_max) + ".",
                "Name those that the trust file asks for.");
  FIDUCIA_TRY(note, ledger_format::read_note(checkpoint));
  const Digest imprint = crypto::sha256(as_bytes(note.text));
  std::vector<TimeStampReport> reports(sources.size());
  {
    std::vector<std::jthread> threads;  // joined at the end of this block
    for (std::size_t i = 0; i < sources.size(); ++i)
      // Each thread writes the report that is its own; `reports` does not grow meanwhile.
      threads.emplace_back([&, i] {
        reports[i].name = sources[i].name;
        auto verified = ask(client, sources[i], imprint, options);
        if (verified) {
          reports[i].token = std::move(verified->token);
          reports[i].latest = verified->latest;
        } else {
          reports[i].token = of_source(sources[i], std::move(verified).error());
        }
      });
  }
  return reports;
}

http::Handler make_time_stamp_handler(const crypto::TimeStampAuthority& authority) {
  return [&authority](const http::Request& request) -> http::Response {
    const auto refuse = [](unsigned status, std::string_view text) {
      const ByteView body = as_bytes(text);
      return http::Response{.status = status,
                            .headers = {{"Content-Type", "text/plain; charset=utf-8"}},
                            .body = Bytes(body.begin(), body.end())};
    };
    if (request.method != "POST") return refuse(405, "Time-stamps are asked for by POST.\n");
    if (!is_type(request.headers, query_type))
      return refuse(415, "A time-stamp query is application/timestamp-query.\n");
    auto answer = crypto::answer_time_stamp_request(request.body, authority);
    if (!answer) return refuse(500, "The time-stamp authority has a fault.\n");
    return {.status = 200,
            .headers = {{"Content-Type", std::string(reply_type)}},
            .body = std::move(*answer)};
  };
}

}  // namespace fiducia::ledger_net
