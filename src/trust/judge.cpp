// SPDX-License-Identifier: Apache-2.0
#include "trust/judge.h"

#include <algorithm>
#include <tuple>

#include "canonical/canonical.h"
#include "evidence/ledger_entry.h"
#include "finding/finding.h"
#include "merkle/merkle.h"

namespace fiducia::trust {
namespace {

/// How many signers, roots and checkpoints are remembered: more only appear in an attack.
constexpr std::size_t remembered_max = 4096;
/// A seal dated further than this from its ledger entry is worth a remark.
constexpr std::int64_t time_gap_seconds = 24 * 60 * 60;

finding::Finding alarm(finding::Code code, std::string text) {
  return {.code = code, .severity = finding::Severity::alarm, .text = std::move(text)};
}

/// Whether the leaf tables of the evidence lead to the roots that were signed.
bool tables_lead_to_roots(const evidence::Evidence& evidence) {
  std::vector<Digest> hashes;
  hashes.reserve(evidence.attributes.size());
  for (const evidence::SealedAttribute& attribute : evidence.attributes)
    hashes.push_back(attribute.hash);
  const evidence::Statement& statement = evidence.statement;
  if (merkle::root(hashes) != statement.header_root) return false;
  if (statement.pixels && statement.pixels->root) {
    const evidence::SealedGeometry& g = statement.pixels->geometry;
    if (canonical::pixel_root(evidence.pixels, canonical::tile_grid(g.rows, g.columns).count()) !=
        *statement.pixels->root)
      return false;
    for (std::size_t i = 0; i < statement.pixels->renditions.size(); ++i)
      if (merkle::root(evidence.pixels.renditions[i]) != statement.pixels->renditions[i].root)
        return false;
  }
  return !statement.encoding ||
         merkle::root(evidence.pixels.encoded_frames) == statement.encoding->root;
}

bool far_apart(UnixTime a, UnixTime b) {
  // Claimed times are any 64 bits: no subtraction that could overflow.
  const auto [early, late] = std::minmax(a.seconds, b.seconds);
  return static_cast<std::uint64_t>(late) - static_cast<std::uint64_t>(early) >
         static_cast<std::uint64_t>(time_gap_seconds);
}

/// The date counts whatever the clocks say; that they differ is worth a remark.
void compare_clocks(UnixTime claimed, const LedgerInfo& ledger,
                    std::vector<finding::Finding>& findings) {
  const auto warn = [&](std::string text) {
    findings.push_back({.code = finding::Code::time_disagrees,
                        .severity = finding::Severity::warning,
                        .text = std::move(text)});
  };
  const bool by_log = ledger.dated_by == DatedBy::log;
  const UnixTime date = ledger.dated_at.value_or(claimed);
  if (far_apart(date, claimed))
    warn(by_log ? "The device's clock and the ledger are more than a day apart; the ledger's date "
                  "counts."
                : "The device's clock and the attested date are more than a day apart; the "
                  "attested date counts.");
  if (!by_log && far_apart(date, ledger.checkpoint_at.value_or(date)))
    warn(std::string("The ledger's own clock and the date that ") +
         (ledger.dated_by == DatedBy::tsa ? "time-stamp authorities" : "witnesses") +
         " attest are more than a day apart; the attested date counts.");
}

template <class Map>
void make_room(Map& map) {
  if (map.size() >= remembered_max) map.clear();
}

std::optional<crypto::PublicKey> note_key(const ledger_format::VerifierKey& key) {
  auto read = key.type == ledger_format::NoteKeyType::ecdsa
                  ? crypto::PublicKey::read_spki(key.public_key)
                  : crypto::PublicKey::read_ed25519(key.public_key);
  if (!read) return std::nullopt;
  return std::move(*read);
}

}  // namespace

TrustJudge::TrustJudge(Trust trust, std::optional<UnixTime> at)
    : trust_(std::move(trust)), at_(at) {
  for (const TrustedAuthority& authority : trust_.authorities)
    if (std::ranges::find(authority.roles, to_word(crypto::Role::seal)) != authority.roles.end())
      anchors_.push_back(authority.certificate);
  for (const TrustedLedger& ledger : trust_.ledgers) ledger_keys_.push_back(note_key(ledger.key));
  for (const Revocation& revocation : trust_.revocations)
    if (!at_ || revocation.at <= *at_) {
      const auto [known, is_new] = revoked_.emplace(revocation.key, revocation.at);
      if (!is_new) known->second = std::min(known->second, revocation.at);
    }
  for (const TrustedLedger& ledger : trust_.ledgers)
    ledgers_revoked_.push_back(revoked_at(key_hash_of(ledger.key)));
}

std::optional<UnixTime> TrustJudge::revoked_at(const Digest& key) const {
  const auto found = revoked_.find(key);
  if (found == revoked_.end()) return std::nullopt;
  return found->second;
}

Result<std::shared_ptr<TrustJudge::Signer>> TrustJudge::signer_of(
    const crypto::Sign1& message) const {
  // All that is remembered comes from the protected header, so nothing else may be used of it.
  const Digest name = crypto::sha256(message.protected_bytes);
  {
    const MutexLock lock{mutex_};
    if (const auto known = signers_.find(name); known != signers_.end()) return known->second;
  }
  FIDUCIA_TRY(headers, crypto::read_headers(message));
  if (headers.x5chain.empty()) return fail_malformed("evidence", "the seal names no certificate.");
  if (headers.content_type != evidence::statement_content_type)
    return fail_malformed("evidence", "the seal is a signature over something else.");
  FIDUCIA_TRY(key, headers.x5chain.front().public_key());
  const Digest fingerprint = headers.x5chain.front().fingerprint();
  auto signer = std::make_shared<Signer>(
      Signer{.headers = std::move(headers), .key = key, .fingerprint = fingerprint, .good = {}});
  const MutexLock lock{mutex_};
  make_room(signers_);
  return signers_.emplace(name, std::move(signer)).first->second;
}

TrustJudge::Certificates TrustJudge::certificates_at(const Signer& signer,
                                                     std::optional<UnixTime> attested) const {
  Certificates out;
  const auto take = [&](const crypto::Certificate& certificate,
                        std::vector<crypto::Certificate>& into) {
    const auto revoked = revoked_at(certificate.key_hash());
    if (!revoked || (attested && *attested < *revoked))
      into.push_back(certificate);
    else
      out.complete = false;
  };
  const std::vector<crypto::Certificate>& chain = signer.headers.x5chain;
  out.chain.push_back(chain.front());  // judged by the date of the seal alone
  for (const crypto::Certificate& certificate : std::span{chain}.subspan(1))
    take(certificate, out.chain);
  for (const crypto::Certificate& anchor : anchors_) take(anchor, out.anchors);
  return out;
}

crypto::ChainStatus TrustJudge::chain_status(Signer& signer, UnixTime at,
                                             std::optional<UnixTime> attested) const {
  const auto passed = static_cast<std::size_t>(std::ranges::count_if(
      revoked_, [&](const auto& revocation) { return attested && *attested < revocation.second; }));
  {
    const MutexLock lock{mutex_};
    const auto good = signer.good.find(passed);
    if (good != signer.good.end() && good->second.first <= at && at <= good->second.second)
      return crypto::ChainStatus::ok;
  }
  const Certificates certificates = certificates_at(signer, attested);
  const crypto::ChainStatus status =
      crypto::verify_chain(certificates.chain, certificates.anchors, at, crypto::Role::seal);
  if (status != crypto::ChainStatus::ok) return status;
  const MutexLock lock{mutex_};
  const auto [good, is_new] = signer.good.try_emplace(passed, at, at);
  if (!is_new) good->second = {std::min(good->second.first, at), std::max(good->second.second, at)};
  return status;
}

bool TrustJudge::judge_receipt(const ledger_format::Receipt& receipt, const TrustedLedger& ledger,
                               const Digest& leaf, Digest& root) const {
  const auto at = static_cast<std::size_t>(&ledger - trust_.ledgers.data());
  if (!ledger_keys_[at]) return false;
  // Receipts of one checkpoint share root and signature: the signature is checked once.
  auto from_path =
      merkle::root_from_inclusion(receipt.leaf_index, receipt.tree_size, leaf, receipt.path);
  if (!from_path) return false;
  root = *from_path;
  const auto message = crypto::read_sign1(receipt.encoded);
  if (!message) return false;
  const ByteView parts[] = {ledger.key.public_key, message->protected_bytes, message->signature,
                            root.view()};
  crypto::Sha256 hash;
  for (const ByteView part : parts) {
    Bytes length;
    append_be(length, std::uint64_t{part.size()});
    hash.update(length);
    hash.update(part);
  }
  const Digest name = hash.finish();
  {
    const MutexLock lock{mutex_};
    if (signed_roots_.contains(name)) return true;
  }
  if (!ledger_format::verify_receipt(receipt, leaf, *ledger_keys_[at])) return false;
  const MutexLock lock{mutex_};
  make_room(signed_roots_);
  signed_roots_.emplace(name, true);
  return true;
}

std::optional<std::vector<TrustJudge::Cosigned>> TrustJudge::judge_checkpoint(
    const evidence::Evidence& evidence, const ledger_format::Receipt& receipt, const Digest& root,
    const TrustedLedger& ledger) const {
  if (evidence.checkpoint.empty()) {
    if (ledger.quorum > 0) return std::nullopt;
    return std::vector<Cosigned>{};
  }
  Bytes named(as_bytes(ledger.origin).begin(), as_bytes(ledger.origin).end());
  append(named, root.view());
  append_be(named, receipt.tree_size);
  append(named, as_bytes(evidence.checkpoint));
  const Digest name = crypto::sha256(named);
  {
    const MutexLock lock{mutex_};
    if (const auto known = checkpoints_.find(name); known != checkpoints_.end())
      return known->second;
  }
  std::vector<ledger_format::VerifierKey> keys{ledger.key};
  for (const TrustedWitness& witness : ledger.witnesses) keys.push_back(witness.key);
  const auto note = ledger_format::read_note(evidence.checkpoint);
  if (!note) return std::nullopt;
  const auto checkpoint = ledger_format::read_checkpoint(note->text);
  if (!checkpoint || checkpoint->origin != ledger.origin ||
      checkpoint->tree_size != receipt.tree_size || checkpoint->root != root)
    return std::nullopt;
  const auto verified = ledger_format::verify_note(*note, keys);
  if (!verified) return std::nullopt;
  bool by_log = false;
  std::vector<Cosigned> cosigned;
  for (const ledger_format::VerifiedSignature& signature : *verified) {
    if (signature.name == ledger.key.name && signature.key_id == ledger.key.key_id) by_log = true;
    if (!signature.time) continue;
    for (const TrustedWitness& witness : ledger.witnesses)
      if (witness.key.name == signature.name && witness.key.key_id == signature.key_id)
        cosigned.push_back({.witness = witness.name,
                            .time = *signature.time,
                            .revoked = revoked_at(key_hash_of(witness.key))});
  }
  if (!by_log) return std::nullopt;
  const MutexLock lock{mutex_};
  make_room(checkpoints_);
  return checkpoints_.emplace(name, std::move(cosigned)).first->second;
}

std::vector<TrustJudge::Stamped> TrustJudge::judge_time_stamps(
    const evidence::Evidence& evidence) const {
  if (evidence.time_stamps.empty() || trust_.tsas.empty()) return {};
  const auto imprint = evidence::time_stamp_imprint(evidence.checkpoint);
  if (!imprint) return {};
  Bytes named(imprint->bytes.begin(), imprint->bytes.end());
  for (const ByteView token : evidence.time_stamps) append(named, crypto::sha256(token).view());
  const Digest name = crypto::sha256(named);
  {
    const MutexLock lock{mutex_};
    if (const auto known = time_stamps_.find(name); known != time_stamps_.end())
      return known->second;
  }
  std::vector<Stamped> good;
  for (const ByteView token : evidence.time_stamps)
    for (std::size_t i = 0; i < trust_.tsas.size(); ++i) {
      const TrustedTsa& tsa = trust_.tsas[i];
      const auto stamp = crypto::verify_time_stamp(
          token, {.imprint = *imprint, .anchors = {&tsa.certificate, 1}, .policies = tsa.policies});
      if (!stamp) continue;
      if (at_ && *at_ < stamp->latest) break;  // not there yet at the time asked for
      Stamped stamped{.tsa = i, .key = stamp->keys.front(), .latest = stamp->latest};
      for (const Digest& key : stamp->keys)
        if (const auto revoked = revoked_at(key))
          stamped.revoked = std::min(stamped.revoked.value_or(*revoked), *revoked);
      good.push_back(stamped);
      break;  // a token counts for one authority
    }
  std::ranges::sort(good, {}, [](const Stamped& s) { return std::tuple(s.latest, s.tsa, s.key); });
  const MutexLock lock{mutex_};
  make_room(time_stamps_);
  return time_stamps_.emplace(name, std::move(good)).first->second;
}

namespace {

/// The n-th earliest, or none where there are fewer.
std::optional<UnixTime> nth_earliest(std::vector<UnixTime> times, std::size_t n) {
  if (n == 0 || times.size() < n) return std::nullopt;
  std::ranges::sort(times);
  return times[n - 1];
}

std::optional<UnixTime> earlier(std::optional<UnixTime> a, std::optional<UnixTime> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

/// Whether what says it is of `time` counts: its key is not revoked, or was only after that time,
/// and others attest that it is older, for a stolen key can sign any date.
bool counts(UnixTime time, std::optional<UnixTime> revoked, std::optional<UnixTime> attested) {
  return !revoked || (time < *revoked && attested && *attested < *revoked);
}

/// Of stamps, earliest first: each authority and each key once.
template <class Stamped>
std::vector<Stamped> each_once(const std::vector<Stamped>& stamps) {
  std::vector<Stamped> counted;
  for (const Stamped& stamped : stamps)
    if (std::ranges::none_of(counted, [&](const Stamped& other) {
          return other.tsa == stamped.tsa || other.key == stamped.key;
        }))
      counted.push_back(stamped);
  return counted;
}

}  // namespace

/// Dates an entry: by the time-stamps that the trust file asks for, else by its witnesses, else by
/// the ledger. The n-th earliest of n counts, so that one of n that lies early changes nothing.
TrustJudge::Entered TrustJudge::date_entry(const evidence::Evidence& evidence,
                                           const ledger_format::Receipt& receipt,
                                           const TrustedLedger& ledger,
                                           std::vector<Cosigned> cosigned,
                                           std::optional<UnixTime> pinned) const {
  Entered out{.info = {.origin = receipt.issuer,
                       .index = receipt.leaf_index,
                       .tree_size = receipt.tree_size,
                       .checkpoint_at = receipt.issued_at,
                       .witnesses = {},
                       .dated_at = receipt.issued_at},
              .missing = {},
              .attested = {}};
  LedgerInfo& info = out.info;
  if (at_)  // not there yet at the time asked for
    std::erase_if(cosigned, [&](const Cosigned& one) { return *at_ < one.time; });
  std::vector<Stamped> stamps = judge_time_stamps(evidence);

  // What those say whose keys nobody has revoked; one of them does where the trust file asks none.
  std::vector<UnixTime> times;
  for (const Cosigned& one : cosigned)
    if (!one.revoked) times.push_back(one.time);
  out.attested = earlier(pinned, nth_earliest(times, std::max(1U, ledger.quorum)));
  std::vector<Stamped> sound = stamps;
  std::erase_if(sound, [](const Stamped& stamp) { return stamp.revoked.has_value(); });
  times.clear();
  for (const Stamped& stamp : each_once(sound)) times.push_back(stamp.latest);
  out.attested = earlier(out.attested, nth_earliest(times, std::max(1U, ledger.time_stamps)));

  const auto ledger_revoked =
      ledgers_revoked_[static_cast<std::size_t>(&ledger - trust_.ledgers.data())];
  if (ledger_revoked && !(out.attested && *out.attested < *ledger_revoked))
    out.missing.push_back(alarm(finding::Code::ledger_revoked,
                                "The ledger's key was revoked at " + to_rfc3339(*ledger_revoked) +
                                    ", and nobody else attests that this seal is older."));
  std::erase_if(cosigned,
                [&](const Cosigned& one) { return !counts(one.time, one.revoked, out.attested); });
  std::erase_if(stamps, [&](const Stamped& stamp) {
    return !counts(stamp.latest, stamp.revoked, out.attested);
  });
  stamps = each_once(stamps);

  times.clear();
  for (const Cosigned& one : cosigned) {
    info.witnesses.push_back(one.witness);
    times.push_back(one.time);
  }
  if (times.size() < ledger.quorum) {
    out.missing.push_back(alarm(finding::Code::ledger_unwitnessed,
                                std::to_string(times.size()) + " of the " +
                                    std::to_string(ledger.quorum) +
                                    " witnesses that the trust file asks for have signed the "
                                    "ledger's checkpoint."));
  } else if (ledger.quorum > 0) {
    info.dated_at = nth_earliest(times, ledger.quorum);
    info.dated_by = DatedBy::witness;
  }
  for (const Stamped& stamp : stamps) info.time_stamps.push_back(trust_.tsas[stamp.tsa].name);
  if (stamps.size() < ledger.time_stamps) {
    out.missing.push_back(alarm(finding::Code::ledger_unstamped,
                                std::to_string(stamps.size()) + " of the " +
                                    std::to_string(ledger.time_stamps) +
                                    " time-stamp authorities that the trust file asks for have "
                                    "stamped the ledger's checkpoint."));
  } else if (ledger.time_stamps > 0) {
    info.dated_at = stamps[ledger.time_stamps - 1].latest;
    info.dated_by = DatedBy::tsa;
  }
  return out;
}

std::optional<UnixTime> TrustJudge::pinned_at(std::span<const ledger_format::Receipt> receipts,
                                              const Digest& leaf) const {
  std::optional<UnixTime> earliest;
  for (const ledger_format::Receipt& receipt : receipts) {
    const auto ledger = std::ranges::find(trust_.ledgers, receipt.issuer, &TrustedLedger::origin);
    if (ledger == trust_.ledgers.end()) continue;
    for (const PinnedCheckpoint& pinned : ledger->pinned) {
      if (pinned.tree_size != receipt.tree_size || (at_ && *at_ < pinned.at)) continue;
      // The trust file vouches for the root, so it matters not who signed the receipt.
      const auto root =
          merkle::root_from_inclusion(receipt.leaf_index, receipt.tree_size, leaf, receipt.path);
      if (root && *root == pinned.root) earliest = earlier(earliest, pinned.at);
    }
  }
  return earliest;
}

std::optional<TrustJudge::Entered> TrustJudge::judge_ledger(const evidence::Evidence& evidence,
                                                            const Digest& signer,
                                                            TrustJudgement& out) const {
  const Digest leaf = merkle::leaf_hash(
      evidence::seal_entry(evidence.sign1, signer, evidence.statement.claimed_at));
  bool known_ledger = false;
  std::optional<Entered> best;
  // What the trust file demands first; then the earliest date: a fresher receipt must not make the
  // seal look late.
  const auto order = [](const Entered& e) {
    return std::tuple(!e.missing.empty(), e.info.dated_at, e.info.checkpoint_at);
  };
  std::vector<ledger_format::Receipt> receipts;
  for (const ByteView encoded : evidence.receipts)
    if (auto receipt = ledger_format::read_receipt(encoded))
      receipts.push_back(std::move(*receipt));
  const std::optional<UnixTime> pinned = pinned_at(receipts, leaf);
  for (const ledger_format::Receipt& receipt : receipts) {
    const auto ledger = std::ranges::find(trust_.ledgers, receipt.issuer, &TrustedLedger::origin);
    if (ledger == trust_.ledgers.end()) continue;
    known_ledger = true;
    Digest root;
    if (!receipt.issued_at || !judge_receipt(receipt, *ledger, leaf, root)) continue;
    auto cosigned = judge_checkpoint(evidence, receipt, root, *ledger);
    if (!cosigned) continue;
    Entered entered = date_entry(evidence, receipt, *ledger, std::move(*cosigned), pinned);
    if (!best || order(entered) < order(*best)) best = std::move(entered);
  }
  if (best) {
    std::ranges::move(best->missing, std::back_inserter(out.findings));
    return best;
  }
  if (known_ledger)
    out.findings.push_back(alarm(finding::Code::ledger_invalid,
                                 "The ledger's receipt or checkpoint does not prove that this "
                                 "seal is in the ledger."));
  else if (!trust_.ledgers.empty())
    out.findings.push_back(alarm(finding::Code::ledger_missing,
                                 "No ledger of the trust file has a receipt for this seal."));
  return std::nullopt;
}

void TrustJudge::judge_signer(Signer& signer, UnixTime sealed_at, std::optional<UnixTime> attested,
                              std::vector<finding::Finding>& findings) const {
  const crypto::Certificate& own = signer.headers.x5chain.front();
  // A revocation that names the certificate in place of its key was meant, too.
  if (const auto revoked = earlier(revoked_at(own.key_hash()), revoked_at(own.fingerprint()));
      revoked && *revoked <= sealed_at)
    findings.push_back(
        alarm(finding::Code::signer_revoked, "The key of the sealing device was revoked at " +
                                                 to_rfc3339(*revoked) + ", before this seal."));
  crypto::ChainStatus status = chain_status(signer, sealed_at, attested);
  if (status != crypto::ChainStatus::ok && !certificates_at(signer, attested).complete) {
    status = crypto::verify_chain(signer.headers.x5chain, anchors_, sealed_at, crypto::Role::seal);
    if (status == crypto::ChainStatus::ok)
      findings.push_back(alarm(finding::Code::signer_revoked,
                               "The key of an authority above the sealing device was revoked, "
                               "and nobody attests that this seal is older."));
  }
  const auto untrusted = [&](const char* why) {
    findings.push_back(alarm(finding::Code::signer_untrusted, why));
  };
  switch (status) {
    case crypto::ChainStatus::ok:
      return;
    case crypto::ChainStatus::expired:
      findings.push_back(alarm(finding::Code::signer_expired,
                               "A certificate of the signer had expired when the image was "
                               "sealed."));
      return;
    case crypto::ChainStatus::not_yet_valid:
      findings.push_back(alarm(finding::Code::signer_expired,
                               "A certificate of the signer was not yet valid when the image was "
                               "sealed."));
      return;
    case crypto::ChainStatus::unknown_authority:
      return untrusted(
          "The signer's certificate does not lead to an authority that the trust file allows to "
          "seal.");
    case crypto::ChainStatus::bad_usage:
      return untrusted("A certificate of the signer is not made for signing images.");
    case crypto::ChainStatus::wrong_role:
      return untrusted(
          "The signer's certificate is not made for sealing: it lacks that extended key usage, has "
          "others, or is an authority's.");
    case crypto::ChainStatus::broken:
      return untrusted("The certificates of the signer do not form a chain.");
  }
}

std::vector<finding::Finding> TrustJudge::judge_chain(std::span<const crypto::Certificate> chain,
                                                      UnixTime at) const {
  std::vector<finding::Finding> findings;
  const auto key = chain.empty() ? std::unexpected(Error{.code = ErrorCode::internal, .what = {}})
                                 : chain.front().public_key();
  if (!key)
    return {alarm(finding::Code::signer_untrusted, "The signer's key is none that can seal.")};
  crypto::Sign1Headers headers;
  headers.x5chain.assign(chain.begin(), chain.end());
  Signer signer{.headers = std::move(headers),
                .key = *key,
                .fingerprint = chain.front().fingerprint(),
                .good = {}};
  judge_signer(signer, at, at, findings);
  return findings;
}

TrustJudgement TrustJudge::judge(const evidence::Evidence& evidence) const {
  TrustJudgement out;
  out.seal.device = evidence.statement.device;
  out.seal.sealed_at = evidence.statement.claimed_at;
  out.seal.object_root = evidence.object_root;

  out.tables_valid = tables_lead_to_roots(evidence);
  if (!out.tables_valid)
    out.findings.push_back(alarm(finding::Code::seal_invalid,
                                 "The tables of the evidence do not fit the signed seal: the "
                                 "evidence itself was changed."));
  const auto invalid = [&](const std::string& why) {
    out.findings.push_back(alarm(finding::Code::seal_invalid, why));
  };
  const auto message = crypto::read_sign1(evidence.sign1);
  if (!message || !message->payload) {
    invalid("The seal is not a signed message.");
    return out;
  }
  auto signer = signer_of(*message);
  if (!signer) {
    invalid("The seal cannot be read: " + signer.error().what);
    return out;
  }
  Signer& by = **signer;
  out.seal.signer = by.fingerprint;
  out.seal.signer_key = by.headers.x5chain.front().key_hash();
  out.seal.signer_name = by.headers.x5chain.front().common_name();
  if (!crypto::verify_sign1(*message, by.key, *message->payload)) {
    invalid("The signature of the seal does not verify: seal or signature were changed.");
    return out;
  }
  if (!crypto::has_low_s(by.key.kind(), message->signature)) {
    invalid(
        "The signature of the seal is not written as Fiducia writes it (low s): it was changed.");
    return out;
  }
  out.signature_valid = true;
  if (out.seal.signer_name != evidence.statement.device)
    out.findings.push_back(alarm(finding::Code::signer_untrusted,
                                 "The seal names another device than the certificate that signed "
                                 "it."));

  const auto entered = judge_ledger(evidence, by.fingerprint, out);
  if (entered) out.ledger = entered->info;
  const UnixTime claimed = evidence.statement.claimed_at;
  const UnixTime sealed_at = out.ledger ? out.ledger->dated_at.value_or(claimed) : claimed;
  if (at_ && *at_ < sealed_at)
    out.findings.push_back(
        alarm(finding::Code::seal_later, "The seal is dated after the time that was asked for."));
  judge_signer(by, sealed_at, entered ? entered->attested : std::nullopt, out.findings);
  out.accepted = out.tables_valid && out.findings.empty();
  out.seal.holds = out.tables_valid;
  out.seal.accepted = out.accepted;
  if (out.ledger) compare_clocks(claimed, *out.ledger, out.findings);
  return out;
}

}  // namespace fiducia::trust
