// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/core.h"
#include "finding/finding.h"
#include "report/html_parts.h"
#include "seal/seal.h"
#include "trust/trust.h"

namespace fiducia::report {
namespace {

/// How one link of the chain stands. Said by sign and word, not by colour alone.
enum class LinkState : std::uint8_t { holds, broken, absent };

bool has_problem(const seal::VerifyResult& result, finding::Code code) {
  return std::ranges::any_of(result.findings, [&](const finding::Finding& finding) {
    return finding.severity != finding::Severity::note && finding.code == code;
  });
}

bool has_problem(const seal::VerifyResult& result, finding::About about) {
  return std::ranges::any_of(result.findings, [&](const finding::Finding& finding) {
    return finding.severity != finding::Severity::note && finding::about(finding.code) == about;
  });
}

/// "ab12 cd34 ...": groups that two people can compare over the telephone.
std::string grouped_in_fours(const std::string& hex) {
  std::string out;
  for (std::size_t i = 0; i < hex.size(); ++i) {
    if (i != 0 && i % 4 == 0) out += ' ';
    out += hex[i];
  }
  return out;
}

/// "24 November 2026, 10:00:00 UTC" reads well, sorts badly, and depends on the language: the
/// RFC 3339 form is unambiguous in every court.
void write_time(HtmlWriter& html, std::string_view name, UnixTime time) {
  const std::string text = to_rfc3339(time);
  html.element("dt", name);
  html.open("dd");
  html.element("time", {{"datetime", text}}, text);
  html.close();
}

void write_fact(HtmlWriter& html, std::string_view name, std::string_view value) {
  html.element("dt", name);
  html.element("dd", value);
}

void write_code_fact(HtmlWriter& html, std::string_view name, std::string_view value) {
  html.element("dt", name);
  html.open("dd");
  html.element("code", value);
  html.close();
}

/// A link of the chain: what it is for those who never heard of it, and what it says here.
struct Link {
  std::string_view title;
  std::string_view gloss;
};
constexpr Link seal_link{"Seal", "Signed hashes of every pixel and every attribute."};
constexpr Link device_link{"Device", "Who sealed, by certificate."};
constexpr Link ledger_link{"Ledger",
                           "A log in which every seal is entered and that can only grow."};
constexpr Link date_link{"Date", "Since when the seal exists, and whose word that is."};

void open_link(HtmlWriter& html, const Link& link, LinkState state, std::string_view says) {
  const std::string_view style = state == LinkState::holds    ? "link holds"
                                 : state == LinkState::broken ? "link broken"
                                                              : "link absent";
  const std::string_view sign = state == LinkState::holds    ? "✓"
                                : state == LinkState::broken ? "✗"
                                                             : "–";
  html.open("li", {{"class", style}});
  html.element("h4", link.title);
  html.element("p", {{"class", "gloss"}}, link.gloss);
  html.open("p", {{"class", "state"}});
  html.element("span", {{"class", "sign"}, {"aria-hidden", "true"}}, sign);
  html.text(" ");
  html.text(says);
  html.close();
}

std::string_view where_found(trust::FoundIn found_in) {
  switch (found_in) {
    case trust::FoundIn::file:
      return "in the file itself";
    case trust::FoundIn::sidecar:
      return "in the evidence file beside it";
    case trust::FoundIn::store:
      return "in the evidence store";
    case trust::FoundIn::given:
      return "in evidence given by the user";
  }
  return "";
}

void write_seal_link(HtmlWriter& html, const seal::VerifyResult& result) {
  const bool is_invalid = !result.seal->holds;
  const bool matches = result.seal->content_matches;
  const bool is_altered = result.verdict == finding::Verdict::altered;
  const LinkState state = is_invalid || is_altered ? LinkState::broken
                          : matches                ? LinkState::holds
                                                   : LinkState::absent;
  open_link(html, seal_link, state,
            is_invalid              ? "The seal does not hold."
            : is_altered && matches ? "The image matches this seal, but another one came with it."
            : is_altered            ? "The image differs from its seal."
            : matches               ? "The image matches its seal."
                                    : "Whether the image matches its seal is open.");
  html.open("dl");
  write_fact(html, "Found", where_found(result.seal->found_in));
  write_time(html, "Sealed at (claimed by the signer)", result.seal->sealed_at);
  write_code_fact(html, "Hash over all that is sealed (object root)",
                  grouped_in_fours(to_hex(result.seal->object_root.view())));
  html.close();
  html.close();
}

void write_device_link(HtmlWriter& html, const seal::VerifyResult& result) {
  // A finding about a signer may speak of another seal that came with the file.
  const bool is_doubtful = !result.seal->holds ||
                           (!result.seal->accepted && has_problem(result, finding::About::signer));
  const bool was_checked = result.seal->accepted || result.verdict == finding::Verdict::authentic ||
                           result.verdict == finding::Verdict::altered ||
                           result.verdict == finding::Verdict::untrusted;
  open_link(html, device_link,
            is_doubtful   ? LinkState::broken
            : was_checked ? LinkState::holds
                          : LinkState::absent,
            !is_doubtful && was_checked ? "The trust file accepts the signer."
            : !result.seal->holds       ? "Without a seal that holds, no signer vouches."
            : has_problem(result, finding::Code::signer_revoked) ? "The signer was revoked."
            : has_problem(result, finding::Code::signer_expired)
                ? "The certificate was not valid at that time."
            : is_doubtful ? "The trust file does not accept the signer."
                          : "The signer is named, not vouched for.");
  html.open("dl");
  write_fact(html, "Device", result.seal->device);
  if (!result.seal->signer_name.empty()) {
    write_fact(html, "Certificate issued to", result.seal->signer_name);
  }
  write_code_fact(html, "Fingerprint of the certificate (SHA-256)",
                  grouped_in_fours(to_hex(result.seal->signer.view())));
  html.close();
  html.close();
}

std::string names_or_none(std::span<const std::string> names) {
  return names.empty() ? "none" : listed(names);
}

void write_ledger_link(HtmlWriter& html, const seal::VerifyResult& result) {
  const bool is_doubtful = has_problem(result, finding::About::ledger);
  if (!result.ledger) {
    open_link(html, ledger_link, is_doubtful ? LinkState::broken : LinkState::absent,
              has_problem(result, finding::Code::ledger_invalid)
                  ? "The proof of entry does not hold."
                  : "No proof of entry in a ledger was presented.");
    html.close();
    return;
  }
  open_link(html, ledger_link, is_doubtful ? LinkState::broken : LinkState::holds,
            has_problem(result, finding::Code::ledger_invalid) ? "The proof of entry does not hold."
            : has_problem(result, finding::Code::ledger_unwitnessed)
                ? "Too few witnesses have cosigned."
            : has_problem(result, finding::Code::ledger_unstamped)
                ? "Too few time-stamps are over the entry."
            : is_doubtful ? "The entry is not accepted."
                          : "The seal is entered in the ledger.");
  html.open("dl");
  write_fact(html, "Ledger", result.ledger->origin);
  write_fact(html, "Entry",
             "No. " + std::to_string(result.ledger->index) + ", counted from 0, of " +
                 std::to_string(result.ledger->tree_size));
  if (result.ledger->checkpoint_at) {
    write_time(html, "Entered at (the ledger's own clock)", *result.ledger->checkpoint_at);
  } else {
    write_fact(html, "Entered at (the ledger's own clock)", "not stated");
  }
  write_fact(html, "Witnesses, who cosigned the ledger", names_or_none(result.ledger->witnesses));
  write_fact(html, "Authorities that stamped the time", names_or_none(result.ledger->time_stamps));
  html.close();
  html.close();
}

/// The sentence that a court reads: by when the seal existed, and whose word that is.
std::string proof_of_date(const trust::LedgerInfo& ledger) {
  switch (ledger.dated_by) {
    case trust::DatedBy::tsa:
      return "Independent time-stamp authorities (" + listed(ledger.time_stamps) +
             ") attest that this seal existed by then. Nobody who holds the keys of the device or "
             "of the ledger could have made it look older.";
    case trust::DatedBy::witness:
      return "Independent witnesses (" + listed(ledger.witnesses) +
             ") attest that they saw the ledger with this seal in it by then. Whoever holds the "
             "keys of the device or of the ledger could not have made it look older without them.";
    case trust::DatedBy::log:
      return "The date is that of the ledger's own clock; it is as reliable as whoever runs the "
             "ledger. No independent party attests it.";
  }
  return {};
}

void write_date_link(HtmlWriter& html, const seal::VerifyResult& result) {
  if (!result.ledger || !result.ledger->dated_at) {
    open_link(html, date_link, LinkState::absent, "Nothing but the signer's claim dates the seal.");
    html.close();
    return;
  }
  const bool is_doubtful = has_problem(result, finding::Code::ledger_unstamped) ||
                           has_problem(result, finding::Code::ledger_unwitnessed);
  const bool is_attested = result.ledger->dated_by != trust::DatedBy::log;
  open_link(html, date_link,
            is_doubtful   ? LinkState::broken
            : is_attested ? LinkState::holds
                          : LinkState::absent,
            is_doubtful   ? "The date is not attested as the trust file asks."
            : is_attested ? "Others than the ledger attest the date."
                          : "Only the ledger's own clock dates the seal.");
  html.open("dl");
  write_time(html, "Existed at the latest at", *result.ledger->dated_at);
  write_fact(html, "Proof", proof_of_date(*result.ledger));
  html.close();
  html.close();
}

}  // namespace

void write_chain(HtmlWriter& html, const seal::VerifyResult& result) {
  html.element("h3", "Who vouches for it");
  if (!result.seal) {
    html.element("p", {{"class", "none"}},
                 result.verdict == finding::Verdict::malformed
                     ? "Nobody: a file that cannot be read is not compared with any seal."
                     : "Nobody: no seal was found. Without one there is no signer, no entry in a "
                       "ledger and no date.");
    return;
  }
  html.open("ol", {{"class", "chain"}});
  write_seal_link(html, result);
  write_device_link(html, result);
  write_ledger_link(html, result);
  write_date_link(html, result);
  html.close();
}

}  // namespace fiducia::report
