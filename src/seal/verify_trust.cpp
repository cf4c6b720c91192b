// SPDX-License-Identifier: Apache-2.0
#include "seal/verify_trust.h"

#include <algorithm>

#include "merkle/merkle.h"

namespace fiducia::seal {
namespace {

/// How many signers, roots and checkpoints are remembered: more only appear in an attack.
constexpr std::size_t remembered_max = 4096;
/// A seal dated further than this from its ledger entry is worth a remark.
constexpr std::int64_t time_gap_seconds = 24 * 60 * 60;

Finding alarm(std::string code, std::string text) {
  return {.code = std::move(code), .severity = Severity::alarm, .text = std::move(text)};
}

/// Whether the leaf tables of the evidence lead to the roots that were signed.
bool tables_lead_to_roots(const Evidence& evidence) {
  std::vector<Digest> hashes;
  hashes.reserve(evidence.attributes.size());
  for (const SealedAttribute& attribute : evidence.attributes) hashes.push_back(attribute.hash);
  const Statement& statement = evidence.statement;
  if (merkle::root(hashes) != statement.header_root) return false;
  if (statement.pixels && statement.pixels->root) {
    const SealedGeometry& g = statement.pixels->geometry;
    if (pixel_root(evidence.pixels, tile_grid(g.rows, g.columns).count()) !=
        *statement.pixels->root)
      return false;
  }
  return !statement.encoding ||
         merkle::root(evidence.pixels.encoded_frames) == statement.encoding->root;
}

template <class Map>
void make_room(Map& map) {
  if (map.size() >= remembered_max) map.clear();
}

std::optional<crypto::PublicKey> note_key(const ledger::VerifierKey& key) {
  auto read = key.type == ledger::NoteKeyType::ecdsa
                  ? crypto::PublicKey::read_spki(key.public_key)
                  : crypto::PublicKey::read_ed25519(key.public_key);
  if (!read) return std::nullopt;
  return std::move(*read);
}

}  // namespace

TrustJudge::TrustJudge(Trust trust, std::optional<UnixTime> at)
    : trust_(std::move(trust)), at_(at) {
  for (const TrustedAuthority& authority : trust_.authorities)
    if (std::ranges::find(authority.roles, "seal") != authority.roles.end())
      anchors_.push_back(authority.certificate);
  for (const TrustedLedger& ledger : trust_.ledgers) ledger_keys_.push_back(note_key(ledger.key));
}

Result<std::shared_ptr<TrustJudge::Signer>> TrustJudge::signer_of(
    const crypto::Sign1& message) const {
  // All that is remembered comes from the protected header, so nothing else may be used of it.
  const Digest name = crypto::sha256(message.protected_bytes);
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = signers_.find(name); known != signers_.end()) return known->second;
  }
  FIDUCIA_TRY(headers, crypto::read_headers(message));
  if (headers.x5chain.empty()) return fail_malformed("evidence", "the seal names no certificate.");
  if (headers.content_type != statement_content_type)
    return fail_malformed("evidence", "the seal is a signature over something else.");
  FIDUCIA_TRY(key, headers.x5chain.front().public_key());
  const Digest fingerprint = headers.x5chain.front().fingerprint();
  auto signer = std::make_shared<Signer>(
      Signer{.headers = std::move(headers), .key = key, .fingerprint = fingerprint, .good = {}});
  const std::lock_guard lock(mutex_);
  make_room(signers_);
  return signers_.emplace(name, std::move(signer)).first->second;
}

crypto::ChainStatus TrustJudge::chain_status(Signer& signer, UnixTime at) const {
  {
    const std::lock_guard lock(mutex_);
    if (signer.good && signer.good->first <= at && at <= signer.good->second)
      return crypto::ChainStatus::ok;
  }
  const crypto::ChainStatus status = crypto::verify_chain(signer.headers.x5chain, anchors_, at);
  if (status != crypto::ChainStatus::ok) return status;
  const std::lock_guard lock(mutex_);
  if (!signer.good) signer.good = {at, at};
  signer.good = {std::min(signer.good->first, at), std::max(signer.good->second, at)};
  return status;
}

bool TrustJudge::judge_receipt(const ledger::Receipt& receipt, const TrustedLedger& ledger,
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
    const std::lock_guard lock(mutex_);
    if (signed_roots_.contains(name)) return true;
  }
  if (!ledger::verify_receipt(receipt, leaf, *ledger_keys_[at])) return false;
  const std::lock_guard lock(mutex_);
  make_room(signed_roots_);
  signed_roots_.emplace(name, true);
  return true;
}

bool TrustJudge::judge_checkpoint(const Evidence& evidence, const ledger::Receipt& receipt,
                                  const Digest& root, const TrustedLedger& ledger,
                                  TrustJudgement& out) const {
  if (evidence.checkpoint.empty()) return ledger.quorum == 0;
  Bytes named(as_bytes(ledger.origin).begin(), as_bytes(ledger.origin).end());
  append(named, root.view());
  append_be(named, receipt.tree_size);
  append(named, as_bytes(evidence.checkpoint));
  const Digest name = crypto::sha256(named);
  std::optional<std::vector<std::string>> witnesses;
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = checkpoints_.find(name); known != checkpoints_.end())
      witnesses = known->second;
  }
  if (!witnesses) {
    std::vector<ledger::VerifierKey> keys{ledger.key};
    for (const TrustedWitness& witness : ledger.witnesses) keys.push_back(witness.key);
    const auto note = ledger::read_note(evidence.checkpoint);
    if (!note) return false;
    const auto checkpoint = ledger::read_checkpoint(note->text);
    if (!checkpoint || checkpoint->origin != ledger.origin ||
        checkpoint->tree_size != receipt.tree_size || checkpoint->root != root)
      return false;
    const auto verified = ledger::verify_note(*note, keys);
    if (!verified) return false;
    bool by_log = false;
    witnesses.emplace();
    for (const ledger::VerifiedSignature& signature : *verified) {
      if (signature.name == ledger.key.name && signature.key_id == ledger.key.key_id) by_log = true;
      for (const TrustedWitness& witness : ledger.witnesses)
        if (witness.key.name == signature.name && witness.key.key_id == signature.key_id)
          witnesses->push_back(witness.name);
    }
    if (!by_log) return false;
    const std::lock_guard lock(mutex_);
    make_room(checkpoints_);
    checkpoints_.emplace(name, *witnesses);
  }
  if (out.ledger) out.ledger->witnesses = *witnesses;
  if (witnesses->size() >= ledger.quorum) return true;
  out.findings.push_back(
      alarm("ledger.unwitnessed", std::to_string(witnesses->size()) + " of the " +
                                      std::to_string(ledger.quorum) +
                                      " witnesses that the trust file asks for have signed the "
                                      "ledger's checkpoint."));
  return true;  // the checkpoint itself is good; the finding says what is missing
}

std::optional<UnixTime> TrustJudge::judge_ledger(const Evidence& evidence, const Digest& signer,
                                                 TrustJudgement& out) const {
  const Bytes entry = ledger::write_entry({.type = ledger::EntryType::seal,
                                           .sign1_hash = crypto::sha256(evidence.sign1),
                                           .signer_hash = signer,
                                           .claimed_at = evidence.statement.claimed_at});
  const Digest leaf = merkle::leaf_hash(entry);
  bool known_ledger = false;
  std::optional<UnixTime> date;
  for (const ByteView encoded : evidence.receipts) {
    const auto receipt = ledger::read_receipt(encoded);
    if (!receipt) continue;
    const auto ledger = std::ranges::find(trust_.ledgers, receipt->issuer, &TrustedLedger::origin);
    if (ledger == trust_.ledgers.end()) continue;
    known_ledger = true;
    Digest root;
    if (!receipt->issued_at || !judge_receipt(*receipt, *ledger, leaf, root)) continue;
    // The earliest good receipt dates the seal: a fresher one must not make it look late.
    if (date && *date <= *receipt->issued_at) continue;
    const std::optional<LedgerInfo> before =
        std::exchange(out.ledger, LedgerInfo{.origin = receipt->issuer,
                                             .index = receipt->leaf_index,
                                             .tree_size = receipt->tree_size,
                                             .checkpoint_at = receipt->issued_at,
                                             .witnesses = {}});
    if (!judge_checkpoint(evidence, *receipt, root, *ledger, out)) {
      out.ledger = before;
      continue;
    }
    date = receipt->issued_at;
  }
  if (date) return date;
  if (known_ledger)
    out.findings.push_back(alarm("ledger.invalid",
                                 "The ledger's receipt or checkpoint does not prove that this "
                                 "seal is in the ledger."));
  else if (!trust_.ledgers.empty())
    out.findings.push_back(
        alarm("ledger.missing", "No ledger of the trust file has a receipt for this seal."));
  return std::nullopt;
}

void TrustJudge::judge_signer(Signer& signer, UnixTime sealed_at, TrustJudgement& out) const {
  for (const Revocation& revocation : trust_.revocations) {
    if (revocation.signer != signer.fingerprint || sealed_at < revocation.at) continue;
    if (at_ && *at_ < revocation.at) continue;  // not known yet at the time asked for
    out.findings.push_back(
        alarm("signer.revoked", "The certificate of the sealing device was revoked at " +
                                    to_rfc3339(revocation.at) + ", before this seal."));
  }
  switch (chain_status(signer, sealed_at)) {
    case crypto::ChainStatus::ok:
      return;
    case crypto::ChainStatus::expired:
      out.findings.push_back(alarm("signer.expired",
                                   "A certificate of the signer had expired when the image was "
                                   "sealed."));
      return;
    case crypto::ChainStatus::not_yet_valid:
      out.findings.push_back(alarm("signer.expired",
                                   "A certificate of the signer was not yet valid when the image "
                                   "was sealed."));
      return;
    case crypto::ChainStatus::unknown_authority:
      out.findings.push_back(alarm("signer.untrusted",
                                   "The signer's certificate does not lead to an authority that "
                                   "the trust file allows to seal."));
      return;
    case crypto::ChainStatus::bad_usage:
      out.findings.push_back(
          alarm("signer.untrusted", "A certificate of the signer is not made for signing images."));
      return;
    case crypto::ChainStatus::broken:
      break;
  }
  out.findings.push_back(
      alarm("signer.untrusted", "The certificates of the signer do not form a chain."));
}

TrustJudgement TrustJudge::judge(const Evidence& evidence) const {
  TrustJudgement out;
  out.seal.device = evidence.statement.device;
  out.seal.sealed_at = evidence.statement.claimed_at;
  out.seal.object_root = evidence.object_root;

  out.tables_valid = tables_lead_to_roots(evidence);
  if (!out.tables_valid)
    out.findings.push_back(alarm("seal.invalid",
                                 "The tables of the evidence do not fit the signed seal: the "
                                 "evidence itself was changed."));
  const auto invalid = [&](const std::string& why) {
    out.findings.push_back(alarm("seal.invalid", why));
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
  out.seal.signer_name = by.headers.x5chain.front().common_name();
  if (!crypto::verify_sign1(*message, by.key, *message->payload)) {
    invalid("The signature of the seal does not verify: seal or signature were changed.");
    return out;
  }
  out.signature_valid = true;
  if (out.seal.signer_name != evidence.statement.device)
    out.findings.push_back(alarm("signer.untrusted",
                                 "The seal names another device than the certificate that signed "
                                 "it."));

  const auto ledger_time = judge_ledger(evidence, by.fingerprint, out);
  const UnixTime claimed = evidence.statement.claimed_at;
  const UnixTime sealed_at = ledger_time.value_or(claimed);
  if (at_ && *at_ < sealed_at)
    out.findings.push_back(
        alarm("seal.later", "The seal is dated after the time that was asked for."));
  judge_signer(by, sealed_at, out);
  out.accepted = out.tables_valid && out.findings.empty();
  out.seal.holds = out.tables_valid;
  out.seal.accepted = out.accepted;
  if (ledger_time && std::abs(ledger_time->seconds - claimed.seconds) > time_gap_seconds)
    out.findings.push_back({.code = "time.disagrees",
                            .severity = Severity::warning,
                            .text = "The device's clock and the ledger are more than a day apart; "
                                    "the ledger's date counts."});
  return out;
}

}  // namespace fiducia::seal
