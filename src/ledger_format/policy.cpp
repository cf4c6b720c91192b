// SPDX-License-Identifier: Apache-2.0
#include "ledger_format/policy.h"

#include <algorithm>
#include <charconv>
#include <functional>

namespace fiducia::ledger_format {
namespace {

constexpr std::string_view no_quorum = "none";

/// Fields of one line: runs of octets other than space and tab.
std::vector<std::string_view> split_fields(std::string_view line) {
  std::vector<std::string_view> fields;
  while (true) {
    const std::size_t begin = line.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return fields;
    const std::size_t end = std::min(line.find_first_of(" \t", begin), line.size());
    fields.push_back(line.substr(begin, end - begin));
    line.remove_prefix(end);
  }
}

/// Reads the lines of one policy; remembers what they have defined so far.
class PolicyReader {
 public:
  explicit PolicyReader(const std::string& name) : name_(name) {}

  Result<Policy> read(std::string_view text) {
    if (text.size() > limits::policy_bytes_max)
      return fail(ErrorCode::over_limit,
                  "A policy is larger than " + std::to_string(limits::policy_bytes_max) + " bytes.",
                  "Split the policy.", Location{.file = name_});
    while (!text.empty()) {
      ++line_;
      const std::size_t end = text.find('\n');
      if (end == std::string_view::npos)
        return refuse("the last line does not end in a line feed; the file may be cut off");
      FIDUCIA_CHECK(read_line(text.substr(0, end)));
      text.remove_prefix(end + 1);
    }
    if (!has_quorum_)
      return refuse("there is no quorum line; \"quorum none\" asks for no cosignature");
    return std::move(policy_);
  }

 private:
  using Fields = std::vector<std::string_view>;

  [[nodiscard]] std::unexpected<Error> refuse(const std::string& what) const {
    return fail(ErrorCode::config_invalid, "line " + std::to_string(line_) + ": " + what + ".",
                "Fix the policy file (C2SP tlog-policy).", Location{.file = name_});
  }

  Status read_line(std::string_view line) {
    for (const char c : line) {
      const auto octet = static_cast<unsigned char>(c);
      if (octet == '\r') return refuse("a carriage return; lines end in a line feed alone");
      if ((octet < 0x20 && octet != '\t') || octet == 0x7F) return refuse("a control character");
    }
    const Fields fields = split_fields(line);
    if (fields.empty() || fields[0].front() == '#') return {};
    if (fields[0] == "log") return read_log(fields);
    if (fields[0] == "witness") return read_witness(fields);
    if (fields[0] == "group") return read_group(fields);
    if (fields[0] == "quorum") return read_quorum(fields);
    return refuse("a line starts with log, witness, group, quorum or #, not with \"" +
                  std::string{fields[0]} + "\"");
  }

  Status read_log(const Fields& fields) {
    if (fields.size() < 2 || fields.size() > 3)
      return refuse("a log line is: log <verifier key> [<URL>]");
    if (policy_.logs.size() == limits::policy_names_max) return too_many("logs");
    FIDUCIA_TRY(key, read_key(fields[1]));
    for (const PolicyLog& log : policy_.logs)
      if (log.key.public_key == key.public_key)
        return refuse("this key is already that of the log " + log.key.name);
    policy_.logs.push_back(
        {.key = std::move(key), .url = fields.size() > 2 ? std::string{fields[2]} : ""});
    return {};
  }

  Status read_witness(const Fields& fields) {
    if (fields.size() < 3 || fields.size() > 4)
      return refuse("a witness line is: witness <name> <verifier key> [<URL>]");
    if (policy_.witnesses.size() == limits::policy_names_max) return too_many("witnesses");
    FIDUCIA_CHECK(check_new_name(fields[1]));
    FIDUCIA_TRY(key, read_key(fields[2]));
    if (key.type != NoteKeyType::cosignature)
      return refuse("the key of a witness has type 4 (cosignature), this one has type " +
                    std::to_string(std::to_underlying(key.type)));
    for (const PolicyWitness& witness : policy_.witnesses)
      if (witness.key.public_key == key.public_key)
        return refuse("this key is already that of the witness " + witness.name);
    names_.emplace(fields[1]);
    policy_.witnesses.push_back({.name = std::string{fields[1]},
                                 .key = std::move(key),
                                 .url = fields.size() > 3 ? std::string{fields[3]} : ""});
    return {};
  }

  Status read_group(const Fields& fields) {
    if (fields.size() < 4)
      return refuse("a group line is: group <name> all|any|<number> <member>...");
    if (policy_.groups.size() == limits::policy_names_max) return too_many("groups");
    FIDUCIA_CHECK(check_new_name(fields[1]));
    PolicyGroup group{.name = std::string{fields[1]}, .threshold = 1, .members = {}};
    for (const std::string_view member : std::span{fields}.subspan(3)) {
      if (!names_.contains(member))
        return refuse("\"" + std::string{member} +
                      "\" is not a witness or group of an earlier line");
      if (!members_.emplace(member).second)
        return refuse("\"" + std::string{member} + "\" is a member already; a name counts once");
      group.members.emplace_back(member);
    }
    const std::string_view number = fields[2];
    if (number == "all") {
      group.threshold = group.members.size();
    } else if (number != "any") {
      const auto [end, error] =
          std::from_chars(number.data(), number.data() + number.size(), group.threshold);
      if (error != std::errc{} || end != number.data() + number.size() || number.front() == '0' ||
          group.threshold > group.members.size())
        return refuse("how many is all, any or a number from 1 to " +
                      std::to_string(group.members.size()) + " (the members), not \"" +
                      std::string{number} + "\"");
    }
    names_.insert(group.name);
    policy_.groups.push_back(std::move(group));
    return {};
  }

  Status read_quorum(const Fields& fields) {
    if (fields.size() != 2) return refuse("a quorum line is: quorum <name>|none");
    if (has_quorum_) return refuse("a second quorum line");
    if (fields[1] != no_quorum && !names_.contains(fields[1]))
      return refuse("\"" + std::string{fields[1]} +
                    "\" is not a witness or group of an earlier line");
    has_quorum_ = true;
    policy_.quorum = fields[1];
    return {};
  }

  [[nodiscard]] Status check_new_name(std::string_view name) const {
    if (name == no_quorum) return refuse("the name none is reserved");
    if (names_.contains(name)) return refuse("\"" + std::string{name} + "\" is defined already");
    return {};
  }

  [[nodiscard]] Result<VerifierKey> read_key(std::string_view text) const {
    auto key = read_vkey(text);
    if (key) return key;
    return refuse("no verifier key that can be used: " + key.error().what);
  }

  [[nodiscard]] Status too_many(const std::string& what) const {
    return fail(ErrorCode::over_limit,
                "line " + std::to_string(line_) + ": more than " +
                    std::to_string(limits::policy_names_max) + " " + what + ".",
                "Split the policy.", Location{.file = name_});
  }

  const std::string& name_;
  std::size_t line_ = 0;
  Policy policy_;
  bool has_quorum_ = false;
  std::set<std::string, std::less<>> names_;    // witnesses and groups defined so far
  std::set<std::string, std::less<>> members_;  // names that are in a group
};

std::string with_url(const std::string& url) { return url.empty() ? "\n" : " " + url + "\n"; }

}  // namespace

const PolicyWitness* Policy::find_witness(std::string_view name) const {
  const auto found = std::find_if(witnesses.begin(), witnesses.end(),
                                  [&](const PolicyWitness& w) { return w.name == name; });
  return found == witnesses.end() ? nullptr : &*found;
}

Result<Policy> read_policy(std::string_view text, const std::string& name) {
  return PolicyReader{name}.read(text);
}

Result<Policy> open_policy(const std::filesystem::path& path) {
  FIDUCIA_TRY(bytes, read_file(path, limits::policy_bytes_max));
  return read_policy(as_text(bytes), path.string());
}

std::string write_policy(const Policy& policy) {
  std::string text;
  for (const PolicyLog& log : policy.logs) text += "log " + write_vkey(log.key) + with_url(log.url);
  for (const PolicyWitness& witness : policy.witnesses)
    text += "witness " + witness.name + " " + write_vkey(witness.key) + with_url(witness.url);
  for (const PolicyGroup& group : policy.groups) {
    text += "group " + group.name + " " + std::to_string(group.threshold);
    for (const std::string& member : group.members) text += " " + member;
    text += "\n";
  }
  return text + "quorum " + policy.quorum + "\n";
}

bool has_quorum(const Policy& policy, const std::set<std::string, std::less<>>& witnesses) {
  if (policy.quorum == no_quorum) return true;
  // Groups refer to earlier lines only, so one pass in their order decides all of them.
  std::set<std::string, std::less<>> reached;
  for (const PolicyWitness& witness : policy.witnesses)
    if (witnesses.contains(witness.name)) reached.insert(witness.name);
  for (const PolicyGroup& group : policy.groups) {
    const auto count = std::count_if(group.members.begin(), group.members.end(),
                                     [&](const std::string& m) { return reached.contains(m); });
    if (static_cast<std::size_t>(count) >= group.threshold) reached.insert(group.name);
  }
  return reached.contains(policy.quorum);
}

CosignatureBounds bounds_at(UnixTime now) {
  const auto latest = checked_add(now.seconds, limits::witness_clock_ahead_seconds_max);
  return {.latest = latest ? UnixTime{*latest} : now};
}

Result<PolicyVerdict> judge_checkpoint(const Policy& policy, std::string_view encoded,
                                       const CosignatureBounds& bounds) {
  FIDUCIA_TRY(note, read_note(encoded));
  FIDUCIA_TRY(checkpoint, read_checkpoint(note.text));
  PolicyVerdict verdict;
  verdict.checkpoint = std::move(checkpoint);
  std::vector<VerifierKey> keys;
  for (const PolicyLog& log : policy.logs) keys.push_back(log.key);
  for (const PolicyWitness& witness : policy.witnesses) keys.push_back(witness.key);
  const auto verified = verify_note(note, keys);
  if (!verified) {
    verdict.text = verified.error().what;
    return verdict;
  }
  const auto find = [&](const VerifierKey& key) {
    return std::find_if(verified->begin(), verified->end(), [&](const VerifiedSignature& v) {
      return v.name == key.name && v.key_id == key.key_id;
    });
  };
  for (const PolicyLog& log : policy.logs)
    if (log.key.name == verdict.checkpoint.origin && find(log.key) != verified->end())
      verdict.log = log.key.name;
  std::set<std::string, std::less<>> names;
  for (const PolicyWitness& witness : policy.witnesses) {
    const auto found = find(witness.key);
    if (found == verified->end() || !found->time || *found->time < bounds.earliest ||
        *found->time > bounds.latest)
      continue;
    verdict.cosigned.push_back({.witness = witness.name, .time = *found->time});
    names.insert(witness.name);
  }
  if (verdict.log.empty()) {
    verdict.text = "No log of the policy has signed this checkpoint under its own name.";
    return verdict;
  }
  verdict.accepted = has_quorum(policy, names);
  verdict.text = std::to_string(names.size()) + " of " + std::to_string(policy.witnesses.size()) +
                 " witnesses have cosigned" +
                 (verdict.accepted ? "." : "; that is not the quorum " + policy.quorum + ".");
  return verdict;
}

}  // namespace fiducia::ledger_format
