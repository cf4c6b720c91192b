// SPDX-License-Identifier: Apache-2.0
#include "ledger_net/witness_client.h"
#include "witness/witness.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <thread>

namespace fiducia::ledger_net {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// Requests to one witness for one checkpoint: the size it has may change under our hands, but an
/// honest one does not change it for ever.
constexpr unsigned attempts_max = 4;

/// The first line of what a stranger wrote, safe to show.
std::string shown_text(ByteView body) {
  constexpr std::size_t shown_max = 200;
  std::string text;
  for (const char c : as_text(body)) {
    if (c == '\n' || text.size() == shown_max) break;
    text += c >= 0x20 && c < 0x7F ? c : '?';
  }
  return text;
}

/// The body of a 409: decimal, line feed (tlog-witness).
std::optional<std::uint64_t> read_size(std::string_view body) {
  if (!body.ends_with('\n')) return std::nullopt;
  body.remove_suffix(1);
  std::uint64_t size = 0;
  const auto [end, error] = std::from_chars(body.data(), body.data() + body.size(), size);
  if (error != std::errc{} || end != body.data() + body.size() ||
      (body.size() > 1 && body.front() == '0'))
    return std::nullopt;
  return size;
}

/// Whether a header says `text/x.tlog.size`, with or without parameters. Only then does the body of
/// a 409 mean something: other witnesses answer so for other reasons.
bool says_tlog_size(const http::Headers& headers) {
  const auto value = http::find_header(headers, "content-type");
  if (!value) return false;
  std::string_view type = value->substr(0, value->find(';'));
  while (type.ends_with(' ')) type.remove_suffix(1);
  constexpr std::string_view expected = "text/x.tlog.size";
  return std::equal(type.begin(), type.end(), expected.begin(), expected.end(), [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b;
  });
}

std::string with_path(std::string url, const std::string& path) {
  while (url.ends_with('/')) url.pop_back();
  return url + path;
}

}  // namespace

std::string_view word_of(WitnessOutcome outcome) {
  switch (outcome) {
    case WitnessOutcome::cosigned:
      return "cosigned";
    case WitnessOutcome::held:
      return "held";
    case WitnessOutcome::not_asked:
      return "not-asked";
    case WitnessOutcome::unreachable:
      return "unreachable";
    case WitnessOutcome::too_late:
      return "too-late";
    case WitnessOutcome::busy:
      return "busy";
    case WitnessOutcome::refused:
      return "refused";
    case WitnessOutcome::invalid:
      return "invalid";
    case WitnessOutcome::superseded:
      return "superseded";
    case WitnessOutcome::ahead:
      return "ahead";
  }
  std::unreachable();
}

/// One checkpoint on its way to all witnesses.
struct WitnessClient::Round {
  const CosignRequest& request;
  ledger_format::Checkpoint checkpoint;
  ledger_format::CosignatureBounds bounds;
  steady_clock::time_point deadline;
  std::stop_source stop;

  Mutex mutex;
  Condition changed;
  std::string merged FIDUCIA_GUARDED_BY(mutex);  // the note with what has come so far
  std::set<std::string, std::less<>> names FIDUCIA_GUARDED_BY(mutex);
  std::vector<WitnessReport> reports FIDUCIA_GUARDED_BY(mutex);
  std::size_t unfinished FIDUCIA_GUARDED_BY(mutex) = 0;
  bool conflict_proven FIDUCIA_GUARDED_BY(mutex) = false;

  [[nodiscard]] std::uint32_t remaining_ms() const {
    const auto left =
        std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now()).count();
    return left <= 1 ? 1U : static_cast<std::uint32_t>(left);
  }
};

namespace {

/// What one witness says to one checkpoint: the conversation, without the bookkeeping.
class Conversation {
 public:
  Conversation(const ledger_format::PolicyWitness& witness, const Transport& transport,
               const CosignRequest& request, const ledger_format::Checkpoint& checkpoint,
               std::function<std::uint32_t()> remaining_ms, std::stop_token stop)
      : witness_(witness),
        transport_(transport),
        request_(request),
        checkpoint_(checkpoint),
        remaining_ms_(std::move(remaining_ms)),
        stop_(std::move(stop)) {}

  struct Result {
    WitnessReport report;
    std::string lines;  // outcome cosigned: the answer, not verified yet
    bool proven = false;
  };

  /// `known_size` is where the witness may stand.
  Result run(std::uint64_t known_size) {
    result_.report.witness = witness_.name;
    std::uint64_t old_size = known_size <= checkpoint_.tree_size ? known_size : 0;
    for (unsigned attempt = 0; attempt < attempts_max; ++attempt) {
      const auto response = submit(old_size);
      if (!response) return std::move(result_);
      if (response->status == 200) {
        result_.report.outcome = WitnessOutcome::cosigned;
        result_.lines = as_text(response->body);
        return std::move(result_);
      }
      const auto size = stale_size(*response);
      if (!size) {
        say_refusal(*response);
        return std::move(result_);
      }
      result_.report.has_size = *size;
      if (*size > checkpoint_.tree_size) {
        say_ahead(*size);
        return std::move(result_);
      }
      if (*size == old_size) {
        say(WitnessOutcome::invalid, "It answers that the old size is wrong, and names the same.");
        return std::move(result_);
      }
      old_size = *size;
    }
    say(WitnessOutcome::invalid, "It names another size each time it is asked.");
    return std::move(result_);
  }

 private:
  void say(WitnessOutcome outcome, std::string text) {
    result_.report.outcome = outcome;
    result_.report.text = std::move(text);
  }

  std::optional<http::ClientResponse> send(http::ClientRequest request) {
    request.response_bytes_max = limits::witness_answer_bytes_max;
    request.total_timeout_ms = remaining_ms_();
    request.stop = stop_;
    auto response = transport_(request);
    if (response) return std::move(*response);
    if (response.error().code == ErrorCode::over_limit) {
      say(WitnessOutcome::invalid, "Its answer is larger than " +
                                       std::to_string(limits::witness_answer_bytes_max) +
                                       " bytes.");
    } else if (remaining_ms_() <= 1) {
      say(WitnessOutcome::too_late, "It did not answer in time.");
    } else if (stop_.stop_requested()) {
      say(WitnessOutcome::too_late, "It had not answered when the others were enough.");
    } else {
      say(WitnessOutcome::unreachable, response.error().what);
    }
    return std::nullopt;
  }

  std::optional<http::ClientResponse> submit(std::uint64_t old_size) {
    witness::AddCheckpoint body{.old_size = old_size, .proof = {}, .note = request_.note};
    if (old_size > 0 && old_size < checkpoint_.tree_size) {
      auto proof = request_.proofs(old_size, checkpoint_.tree_size);
      if (!proof) {
        say(WitnessOutcome::refused, "It needs a consistency proof from " +
                                         std::to_string(old_size) +
                                         " entries, and this log has none: " + proof.error().what);
        return std::nullopt;
      }
      body.proof = std::move(*proof);
    }
    const std::string text = witness::write_add_checkpoint(body);
    const ByteView bytes = as_bytes(text);
    return send({.method = "POST",
                 .url = with_path(witness_.url, "/add-checkpoint"),
                 .headers = {{"Content-Type", "text/plain; charset=utf-8"}},
                 .body = Bytes{bytes.begin(), bytes.end()}});
  }

  [[nodiscard]] static std::optional<std::uint64_t> stale_size(
      const http::ClientResponse& response) {
    if (response.status != 409 || !says_tlog_size(response.headers)) return std::nullopt;
    return read_size(as_text(response.body));
  }

  void say_refusal(const http::ClientResponse& response) {
    const std::string status = std::to_string(response.status);
    const std::string answer = "It answers " + status + ": " + shown_text(response.body);
    if (response.status == 429 || response.status >= 500) return say(WitnessOutcome::busy, answer);
    if (response.status >= 200 && response.status < 400)
      return say(WitnessOutcome::invalid,
                 "It answers " + status + ", which tlog-witness does not.");
    say(WitnessOutcome::refused, answer);
    // 422, and 409 from older witnesses: it may have cosigned another tree of the same size.
    if (response.status == 422 || response.status == 409) look_for_split();
  }

  /// The checkpoint that the witness shows as its latest, if the log itself signed it.
  std::optional<ledger_format::Checkpoint> find_shown() {
    const WitnessReport before = result_.report;
    const auto response =
        send({.url = with_path(witness_.url,
                               "/" + witness::origin_hash(checkpoint_.origin) + "/checkpoint")});
    result_.report = before;  // that it shows nothing changes nothing
    if (!response || response->status != 200) return std::nullopt;
    const std::string text{as_text(response->body)};
    auto shown = ledger_format::read_signed_checkpoint(text, request_.log_key);
    if (!shown || shown->origin != checkpoint_.origin) return std::nullopt;
    result_.report.shown = text;
    return std::move(*shown);
  }

  void look_for_split() {
    const auto shown = find_shown();
    if (!shown) return;
    const auto views = ledger_format::compare_views(request_.note, result_.report.shown,
                                                    request_.log_key, nullptr, request_.proofs);
    if (!views || views->views != ledger_format::Views::split) return;
    result_.proven = true;
    say(WitnessOutcome::ahead, "It has cosigned another tree of this log. " + views->text +
                                   " The checkpoint it shows has this log's own signature.");
  }

  void say_ahead(std::uint64_t size) {
    const std::uint64_t committed =
        request_.committed_size ? request_.committed_size() : checkpoint_.tree_size;
    if (size <= committed)
      return say(WitnessOutcome::superseded,
                 "It has cosigned " + std::to_string(size) +
                     " entries meanwhile; ask with a newer checkpoint.");
    std::string text = "It has cosigned " + std::to_string(size) +
                       " entries of this log, which has " + std::to_string(committed) + ".";
    if (const auto shown = find_shown(); shown && shown->tree_size > committed) {
      result_.proven = true;
      text += " The checkpoint it shows has this log's own signature.";
    }
    say(WitnessOutcome::ahead, std::move(text));
  }

  const ledger_format::PolicyWitness& witness_;
  const Transport& transport_;
  const CosignRequest& request_;
  const ledger_format::Checkpoint& checkpoint_;
  std::function<std::uint32_t()> remaining_ms_;
  std::stop_token stop_;
  Result result_;
};

}  // namespace

WitnessClient::WitnessClient(ledger_format::Policy policy, const http::Client& client,
                             WitnessClientOptions options)
    : WitnessClient(
          std::move(policy),
          [&client](const http::ClientRequest& request) { return client.send(request); },
          std::move(options)) {}

WitnessClient::WitnessClient(ledger_format::Policy policy, Transport transport,
                             WitnessClientOptions options)
    : policy_(std::move(policy)), transport_(std::move(transport)), options_(std::move(options)) {}

void WitnessClient::ask(Round& round, std::size_t index) {
  const ledger_format::PolicyWitness& witness = policy_.witnesses[index];
  const std::pair place{witness.name, round.checkpoint.origin};
  std::uint64_t known_size = 0;
  {
    const MutexLock lock{mutex_};
    if (const auto found = sizes_.find(place); found != sizes_.end()) known_size = found->second;
  }
  Conversation conversation{witness,
                            transport_,
                            round.request,
                            round.checkpoint,
                            [&round] { return round.remaining_ms(); },
                            round.stop.get_token()};
  auto said = conversation.run(known_size);
  WitnessReport& report = said.report;
  {
    const MutexLock lock{round.mutex};
    if (report.outcome == WitnessOutcome::cosigned) {
      // Verified with the key of this witness alone: it cannot answer for another.
      auto merged = ledger_format::merge_cosignatures(round.merged, said.lines,
                                                      std::span{&witness.key, 1}, round.bounds);
      if (merged) {
        report.cosigned_at = merged->added.front().time;
        report.text = "It cosigned at " + to_rfc3339(*report.cosigned_at) + ".";
        round.merged = std::move(merged->note);
        round.names.insert(witness.name);
      } else {
        report.outcome = WitnessOutcome::invalid;
        report.text = "Its answer does not hold: " + merged.error().what;
      }
    }
    round.conflict_proven |= said.proven;
    round.reports[index] = report;
    --round.unfinished;
    round.changed.notify_all();
  }
  const MutexLock lock{mutex_};
  if (report.outcome == WitnessOutcome::cosigned) {
    sizes_[place] = round.checkpoint.tree_size;
  } else if (report.has_size) {
    sizes_[place] = *report.has_size;
  }
}

Result<CosignReport> WitnessClient::cosign(const CosignRequest& request) {
  FIDUCIA_TRY(checkpoint, ledger_format::read_signed_checkpoint(request.note, request.log_key));
  ledger_format::CosignatureBounds bounds = ledger_format::bounds_at(options_.clock());
  // A cosignature that was there before the checkpoint is an old one played back; clocks of two
  // machines may differ by as much as one of them may be ahead.
  bounds.earliest = std::max(bounds.earliest, UnixTime{request.signed_at.seconds -
                                                       limits::witness_clock_ahead_seconds_max});
  FIDUCIA_TRY(before, ledger_format::judge_checkpoint(policy_, request.note, bounds));

  Round round{.request = request,
              .checkpoint = std::move(checkpoint),
              .bounds = bounds,
              .deadline = steady_clock::now() + milliseconds{options_.total_timeout_ms},
              .stop = {},
              .mutex = {},
              .changed = {},
              .merged = request.note,
              .names = {},
              .reports = std::vector<WitnessReport>(policy_.witnesses.size()),
              .unfinished = 0};
  std::vector<std::size_t> asked;
  MutexLock lock{round.mutex};
  for (const ledger_format::Cosigned& cosigned : before.cosigned)
    round.names.insert(cosigned.witness);
  for (std::size_t i = 0; i < policy_.witnesses.size(); ++i) {
    const ledger_format::PolicyWitness& witness = policy_.witnesses[i];
    WitnessReport& report = round.reports[i];
    report.witness = witness.name;
    if (round.names.contains(witness.name)) {
      report.outcome = WitnessOutcome::held;
      report.text = "The checkpoint has its cosignature already.";
    } else if (witness.url.empty()) {
      report.text = "The policy names no URL for it.";
    } else {
      report.outcome = WitnessOutcome::too_late;
      report.text = "It did not answer in time.";
      asked.push_back(i);
    }
  }
  for (const ledger_format::Cosigned& cosigned : before.cosigned)
    for (WitnessReport& report : round.reports)
      if (report.witness == cosigned.witness) report.cosigned_at = cosigned.time;

  round.unfinished = asked.size();
  lock.unlock();
  {
    std::vector<std::jthread> threads;
    for (const std::size_t index : asked)
      threads.emplace_back([this, &round, index] { ask(round, index); });
    lock.lock();
    const auto finished = [&round]()
                              FIDUCIA_REQUIRES(round.mutex) { return round.unfinished == 0; };
    const auto enough = [&]() FIDUCIA_REQUIRES(round.mutex) {
      return finished() || ledger_format::has_quorum(policy_, round.names);
    };
    round.changed.wait_until(lock, round.deadline, enough);
    const auto last =
        std::min(round.deadline, steady_clock::now() + milliseconds{options_.grace_ms});
    round.changed.wait_until(lock, last, finished);
    lock.unlock();
    round.stop.request_stop();
  }  // joined: nobody else touches the round any more
  lock.lock();

  CosignReport report{.note = std::move(round.merged),
                      .quorum = ledger_format::has_quorum(policy_, round.names),
                      .witnesses = std::move(round.reports),
                      .conflict = {},
                      .conflict_proven = round.conflict_proven};
  for (const WitnessReport& witness : report.witnesses) {
    if (witness.outcome != WitnessOutcome::ahead || report.conflict) continue;
    report.conflict =
        Error{.code = ErrorCode::ledger_conflict,
              .what = "The witness " + witness.witness +
                      " has seen what this ledger does not have. " + witness.text,
              .remedy =
                  "Append nothing more: this is an old copy of the ledger, or its key is used "
                  "elsewhere. Put back the newest copy, or begin a new ledger."};
  }
  return report;
}

}  // namespace fiducia::ledger_net
