// SPDX-License-Identifier: Apache-2.0
#include <set>

#include "commands.h"
#include "crypto/crypto.h"
#include "inputs.h"
#include "output.h"
#include "report/json_writer.h"
#include "stored_evidence.h"

namespace fiducia::app {
namespace {

/// Bytes of one evidence file: what `verify --evidence` reads.
constexpr std::uint64_t export_bytes_max = 1ULL << 30;

struct Gathered {
  std::vector<std::size_t> exported;  // indices of inputs
  std::vector<Bytes> evidences;
  std::set<Digest> seen;  // several files may rest on one evidence
  std::uint64_t bytes = 0;
  int exit_code = 0;
};

void print_result(const Input& input, std::string_view status, const CommonOptions& common) {
  const std::string path = input.path.string();
  if (common.json) {
    report::JsonWriter json;
    json.open_object();
    json.member("schema", "fiducia.export/1");
    json.member("path", path);
    json.member("status", status);
    json.close_object();
    print_line(json.take());
  } else if (!common.quiet) {
    print_line(std::string(status) + "  " + printable(path));
  }
}

Status gather(const std::vector<Input>& inputs, std::size_t index, const seal::Verifier& verifier,
              const CommonOptions& common, Gathered& gathered) {
  const Input& input = inputs[index];
  FIDUCIA_TRY(file, open_input(input));
  FIDUCIA_TRY(evidence, verifier.find_evidence(file));
  if (!evidence) {
    gathered.exit_code =
        seal::worse_exit_code(gathered.exit_code, seal::exit_code(seal::Verdict::unsealed));
    print_result(input, "unsealed", common);
    return {};
  }
  if (gathered.seen.insert(crypto::sha256(*evidence)).second) {
    gathered.bytes += evidence->size();
    gathered.evidences.push_back(std::move(*evidence));
  }
  gathered.exported.push_back(index);
  return {};
}

Result<int> export_evidence(const ExportOptions& options) {
  FIDUCIA_TRY(source, open_verifier_source(options.common.home, options.trust));
  FIDUCIA_TRY(verifier, seal::Verifier::make(std::move(source.trust), {}, source.lookup.get()));
  std::vector<LeftOut> left_out;
  FIDUCIA_TRY(inputs, find_inputs(options.paths, &left_out));
  const OutputRules rules = output_rules("evidence file", seal::is_evidence_file,
                                         options.common.home, inputs, {options.trust});
  FIDUCIA_CHECK(check_output(options.out, rules));
  Gathered gathered;
  gathered.exit_code = tell_left_out(left_out, options.common.json);
  std::size_t no_images = 0;
  Progress progress{"Exporting", inputs.size(), options.common.quiet || !options.common.json};
  for (std::size_t index = 0; index < inputs.size(); ++index) {
    if (auto done = gather(inputs, index, verifier, options.common, gathered); !done) {
      progress.advance();
      if (is_no_image(inputs[index], done.error())) {
        ++no_images;
        continue;
      }
      print_error(done.error(), options.common.json);
      gathered.exit_code = 1;
      continue;
    }
    if (gathered.bytes > export_bytes_max)
      return fail(ErrorCode::over_limit, "The evidence is larger than 1 GiB.",
                  "Export fewer images at a time.");
    progress.advance();
  }
  if (!options.common.quiet) tell_no_images(no_images);
  if (gathered.evidences.empty())
    return fail(ErrorCode::io_unreadable, "There is no evidence for any of these files.",
                "Seal them first, or name the home that sealed them with --home.");
  FIDUCIA_CHECK(write_output(options.out, seal::write_evidence_file(gathered.evidences), rules));
  for (const std::size_t index : gathered.exported)
    print_result(inputs[index], "exported", options.common);
  return gathered.exit_code;
}

}  // namespace

int run(const ExportOptions& options) {
  const auto exit_code = export_evidence(options);
  if (!exit_code) {
    print_error(exit_code.error(), options.common.json);
    return 1;
  }
  return *exit_code;
}

}  // namespace fiducia::app
