// SPDX-License-Identifier: Apache-2.0
//
// Writes pages for the browser test and for the eye: sample_pages FOLDER [DICOM-FILE...]
#include <cstdio>
#include <filesystem>

#include "codec/codec.h"
#include "core/core.h"
#include "dicom/dicom.h"
#include "finding/finding.h"
#include "render/render.h"
#include "report/report.h"
#include "report/sample_results.h"
#include "seal/seal.h"

namespace {

using namespace fiducia;

bool write(const std::filesystem::path& path, std::span<const report::ReportItem> items) {
  const std::string page = report::to_html(items, UnixTime{1'795'521'600});
  const Status status = durable_write(path, fiducia::as_bytes(page));
  if (!status) std::fprintf(stderr, "%s\n", to_sentence(status.error()).c_str());
  std::printf("%s: %zu bytes\n", path.c_str(), page.size());
  return status.has_value();
}

/// A real picture under an invented result: tiles near its middle differ.
report::ReportItem item_of(const std::string& path, finding::Verdict verdict, std::size_t count,
                           codec::CodecChild& child) {
  report::ReportItem item{
      .result = test::sample_result(verdict, path), .pictures = {}, .pictures_missing = {}};
  auto file = dicom::File::open(path);
  if (!file) {
    item.pictures_missing = "The picture cannot be drawn: " + file.error().what;
    return item;
  }
  const auto geometry = codec::read_geometry(file->data_set());
  item.result.image = seal::ImageInfo{
      .sop_class = file->data_set().find_text(dicom::tags::sop_class_uid).value_or(""),
      .transfer_syntax = std::string{file->transfer_syntax().uid},
      .frames = 0,
      .rows = 0,
      .columns = 0};
  if (geometry && *geometry) {
    const codec::Geometry& g = **geometry;
    item.result.image->frames = g.frames;
    item.result.image->rows = g.rows;
    item.result.image->columns = g.columns;
    if (verdict == finding::Verdict::altered) {
      finding::Finding& pixels = item.result.findings.front();
      const std::uint32_t row = (g.rows + 63) / 64 / 2;
      const std::uint32_t column = (g.columns + 63) / 64 / 2;
      pixels.frame = g.frames / 2 + 1;
      pixels.text = "Frame " + std::to_string(*pixels.frame) + ": 1 of " +
                    std::to_string(((g.rows + 63) / 64) * ((g.columns + 63) / 64)) +
                    " tiles differs from the seal.";
      pixels.tiles = {{row, column}};
      pixels.box = finding::Box{column * 64, row * 64, std::min(64U, g.columns - column * 64),
                                std::min(64U, g.rows - row * 64)};
    }
  }
  auto pictures = render::make_pictures(*file, &child, item.result.findings,
                                        report::picture_options(item.result, count));
  item.pictures = std::move(pictures.pictures);
  item.pictures_missing = std::move(pictures.missing);
  return item;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 1;
  const std::filesystem::path folder = argv[1];
  const std::vector<report::ReportItem> altered{test::altered_item()};
  bool good = write(folder / "altered.html", altered);
  for (report::ReportItem& item : test::one_of_each()) {
    good &= write(folder / (std::string{finding::to_word(item.result.verdict)} + "-sample.html"),
                  std::span{&item, 1});
  }
  good &= write(folder / "each.html", test::one_of_each());

  report::ReportItem hostile = test::altered_item();
  hostile.result.path = "data:x\" onload=\"alert(3) " + std::string{test::hostile_text};
  for (finding::Finding& finding : hostile.result.findings) {
    finding.text += test::hostile_text;
    finding.current_value = test::hostile_text;
    finding.attribute += finding.attribute.empty() ? "" : test::hostile_text;
  }
  hostile.result.seal->device = test::hostile_text;
  hostile.result.ledger->origin = test::hostile_text;
  hostile.result.ledger->witnesses = {std::string{test::hostile_text}};
  good &= write(folder / "hostile.html", std::span{&hostile, 1});

  const std::span files{argv + 2, static_cast<std::size_t>(argc - 2)};
  codec::CodecChild child{codec::codec_program()};
  std::vector<report::ReportItem> items;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const report::ReportItem alone = item_of(files[i], finding::Verdict::altered, 1, child);
    const std::string stem = std::filesystem::path{files[i]}.stem().string();
    good &= write(folder / (stem + ".html"), std::span{&alone, 1});
    items.push_back(item_of(files[i],
                            i % 4 == 0 ? finding::Verdict::altered : finding::Verdict::authentic,
                            files.size(), child));
  }
  if (!items.empty()) good &= write(folder / "folder.html", items);
  return good ? 0 : 1;
}
