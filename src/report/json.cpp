// SPDX-License-Identifier: Apache-2.0
#include "json/json.h"
#include "finding/finding.h"
#include "report/report.h"
#include "seal/seal.h"
#include "trust/trust.h"

namespace fiducia::report {
namespace {

void write_finding(json::Writer& json, const finding::Finding& finding) {
  json.open_object();
  json.member("code", finding::word_of(finding));
  json.member("severity", finding::to_word(finding.severity));
  json.member("text", finding.text);
  if (finding.frame) json.member("frame", *finding.frame);
  if (!finding.tiles.empty()) {
    json.key("tiles");
    json.open_array();
    for (const finding::TilePosition& tile : finding.tiles) {
      json.open_array();
      json.number(tile.row);
      json.number(tile.column);
      json.close_array();
    }
    json.close_array();
  }
  if (finding.box) {
    json.key("box");
    json.open_object();
    json.member("x", finding.box->x);
    json.member("y", finding.box->y);
    json.member("width", finding.box->width);
    json.member("height", finding.box->height);
    json.close_object();
  }
  if (!finding.attribute.empty()) json.member("attribute", finding.attribute);
  if (!finding.keyword.empty()) json.member("keyword", finding.keyword);
  if (finding.current_value) json.member("current_value", *finding.current_value);
  json.close_object();
}

void write_seal(json::Writer& json, const trust::SealInfo& seal) {
  json.open_object();
  json.member("device", seal.device);
  json.member("signer", "sha256:" + to_hex(seal.signer.view()));
  json.member("signer_key", "sha256:" + to_hex(seal.signer_key.view()));
  if (!seal.signer_name.empty()) json.member("signer_name", seal.signer_name);
  json.member("sealed_at", to_rfc3339(seal.sealed_at));
  json.member("object_root", to_hex(seal.object_root.view()));
  json.member("found_in", trust::to_word(seal.found_in));
  json.close_object();
}

void write_names(json::Writer& json, std::string_view key, const std::vector<std::string>& names) {
  json.key(key);
  json.open_array();
  for (const std::string& name : names) json.text(name);
  json.close_array();
}

void write_ledger(json::Writer& json, const trust::LedgerInfo& ledger) {
  json.open_object();
  json.member("origin", ledger.origin);
  json.member("index", ledger.index);
  json.member("tree_size", ledger.tree_size);
  if (ledger.checkpoint_at) json.member("checkpoint_at", to_rfc3339(*ledger.checkpoint_at));
  write_names(json, "witnesses", ledger.witnesses);
  if (ledger.dated_at) {
    json.member("dated_at", to_rfc3339(*ledger.dated_at));
    json.member("dated_by", trust::to_word(ledger.dated_by));
    write_names(json, "time_stamps", ledger.time_stamps);
  }
  json.close_object();
}

void write_image(json::Writer& json, const seal::ImageInfo& image) {
  json.open_object();
  json.member("sop_class", image.sop_class);
  json.member("transfer_syntax", image.transfer_syntax);
  json.member("frames", image.frames);
  json.member("rows", image.rows);
  json.member("columns", image.columns);
  json.close_object();
}

}  // namespace

std::string to_json(const seal::VerifyResult& result) {
  json::Writer json;
  json.open_object();
  json.member("schema", "fiducia.verify/1");
  json.member("path", result.path);
  json.member("verdict", finding::to_word(result.verdict));
  json.key("findings");
  json.open_array();
  for (const finding::Finding& finding : result.findings) write_finding(json, finding);
  json.close_array();
  if (result.seal) {
    json.key("seal");
    write_seal(json, *result.seal);
  }
  if (result.ledger) {
    json.key("ledger");
    write_ledger(json, *result.ledger);
  }
  if (result.image) {
    json.key("image");
    write_image(json, *result.image);
  }
  if (result.tolerance) {
    json.key("tolerance");
    json.open_object();
    if (!result.tolerance->profile.empty()) json.member("profile", result.tolerance->profile);
    json.member("own_rules", result.tolerance->own_rules);
    json.close_object();
  }
  json.close_object();
  return json.take();
}

}  // namespace fiducia::report
