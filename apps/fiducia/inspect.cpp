// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include "cli/cli.h"
#include "commands.h"
#include "evidence/evidence.h"
#include "inspect_value.h"
#include "json/json.h"
#include "sealing/sealing.h"

namespace fiducia::app {
namespace {

/// Evidence in one place, as far as it can be read without judging it.
struct EvidenceSeen {
  std::string place;  // "file", "sidecar", "store"
  std::string device;
  std::string sealed_at;
  std::string object_root;
  std::string unreadable;  // why it cannot be read
};

EvidenceSeen look_at(std::string place, ByteView encoded) {
  EvidenceSeen seen{.place = std::move(place),
                    .device = {},
                    .sealed_at = {},
                    .object_root = {},
                    .unreadable = {}};
  const auto evidence = evidence::read_evidence(encoded);
  if (!evidence) {
    seen.unreadable = evidence.error().what;
    return seen;
  }
  seen.device = evidence->statement.device;
  seen.sealed_at = to_rfc3339(evidence->statement.claimed_at);
  seen.object_root = to_hex(evidence->object_root.view());
  return seen;
}

Result<std::vector<EvidenceSeen>> find_evidence(const cli::InspectOptions& options,
                                                const sealing::Input& input,
                                                const dicom::File& file) {
  std::vector<EvidenceSeen> seen;
  if (const auto embedded = evidence::find_embedded(file.data_set()))
    seen.push_back(look_at("file", *embedded));
  std::error_code error;
  const std::filesystem::path sidecar = evidence::sidecar_path(input.path);
  if (!input.is_stdin() && std::filesystem::is_regular_file(sidecar, error)) {
    FIDUCIA_TRY(bytes, read_file(sidecar, limits::evidence_bytes_max));
    seen.push_back(look_at("sidecar", bytes));
  }
  const auto home = home::locate_home(options.common.home);
  if (home && home::is_home(*home)) {
    sealing::StoredEvidence store{*home};
    const auto uid = file.data_set().find_text(dicom::tags::sop_instance_uid);
    if (uid) {
      FIDUCIA_TRY(stored, store.find_by_instance(*uid));
      for (const Bytes& encoded : stored) seen.push_back(look_at("store", encoded));
    }
  } else if (!options.common.home.empty()) {
    return fail(ErrorCode::config_missing, "is not a Fiducia home.",
                "Run `fiducia init`, or name a home with --home.",
                Location{.file = options.common.home});
  }
  return seen;
}

/// One step of the walk: an element, or the start of an item.
struct Step {
  std::size_t depth = 0;
  const dicom::Element* element = nullptr;  // null: an item begins
  std::uint32_t item_number = 0;            // from 1: the item that begins, or that it is in
  const dicom::CharacterSet* character_set = nullptr;
};

/// Visits a data set in the order of the file. Own stack, no recursion: depth comes from input.
template <class Visit>
void walk(const dicom::DataSet& data_set, const Visit& visit) {
  struct Level {
    dicom::ElementIndex element;  // next to visit
    dicom::ItemIndex item;        // the item they belong to
    std::uint32_t item_number;
    dicom::CharacterSet character_set;
  };
  const auto set_of = [](const dicom::Element* element, const dicom::CharacterSet& outer) {
    return element == nullptr ? outer : dicom::CharacterSet{as_text(element->value)};
  };
  std::vector<Level> levels;
  levels.push_back({.element = data_set.first(),
                    .item = dicom::no_index,
                    .item_number = 0,
                    .character_set = set_of(data_set.find(dicom::tags::specific_character_set),
                                            dicom::CharacterSet{})});
  const auto enter = [&](dicom::ItemIndex index, std::uint32_t number) {
    const dicom::Item& item = data_set.item(index);
    visit(Step{.depth = levels.size(),
               .element = nullptr,
               .item_number = number,
               .character_set = nullptr});
    levels.push_back(
        {.element = item.first_element,
         .item = index,
         .item_number = number,
         .character_set = set_of(data_set.find_in(item, dicom::tags::specific_character_set),
                                 levels.back().character_set)});
  };
  while (!levels.empty()) {
    Level& level = levels.back();
    if (level.element == dicom::no_index) {
      const Level done = level;
      levels.pop_back();
      if (done.item == dicom::no_index) continue;
      const dicom::ItemIndex next = data_set.item(done.item).next;
      if (next != dicom::no_index) enter(next, done.item_number + 1);
      continue;
    }
    const dicom::Element& element = data_set.element(level.element);
    visit(Step{.depth = levels.size() - 1,
               .element = &element,
               .item_number = level.item_number,
               .character_set = &level.character_set});
    level.element = element.next;
    if (element.first_item != dicom::no_index) enter(element.first_item, 1);
  }
}

std::string_view keyword_of(dicom::Tag tag) {
  const auto entry = dicom::find_dictionary_entry(tag);
  return entry ? entry->keyword : std::string_view{};
}

std::uint64_t length_of(const dicom::DataSet& data_set, const dicom::Element& element) {
  if (!element.encapsulated || element.tag != dicom::tags::pixel_data) return element.value.size();
  std::uint64_t bytes = 0;
  for (const ByteView fragment : data_set.fragments()) bytes += fragment.size();
  return bytes;
}

bool is_shown_as_bytes(const dicom::Element& element) {
  return !(element.vr == dicom::vr::sq) && !element.encapsulated;
}

// --- for people -------------------------------------------------------------------------------

void print_element(const dicom::DataSet& data_set, const Step& step, bool show_values) {
  std::string line(step.depth * 2, ' ');
  if (step.element == nullptr) {
    cli::print_line(line + "item " + std::to_string(step.item_number));
    return;
  }
  const dicom::Element& element = *step.element;
  line += dicom::to_string(element.tag) + " " + element.vr.text() + "  ";
  if (element.vr == dicom::vr::sq)
    line += std::to_string(element.item_count) + (element.item_count == 1 ? " item" : " items");
  else
    line += std::to_string(length_of(data_set, element)) + " bytes";
  if (element.encapsulated && !data_set.fragments().empty())
    line += " in " + std::to_string(data_set.fragments().size()) + " fragments";
  if (const auto keyword = keyword_of(element.tag); !keyword.empty())
    line += "  " + std::string(keyword);
  else if (element.tag.is_private_creator())
    line += "  (private creator)";
  if (element.duplicate) line += "  (the tag is there twice)";
  if (show_values && is_shown_as_bytes(element))
    line += "  = " + show_value(element, *step.character_set);
  cli::print_line(line);
}

void print_text(const cli::InspectOptions& options, const sealing::Input& input,
                const dicom::File& file, const std::vector<EvidenceSeen>& evidence) {
  const dicom::TransferSyntax& syntax = file.transfer_syntax();
  cli::print_line("File             " + cli::printable(input.path.string()) + ", " +
                  std::to_string(file.bytes().size()) + " bytes");
  cli::print_line("Transfer syntax  " + std::string(syntax.uid) + "  " + std::string(syntax.name));
  cli::print_line(std::string("Form             ") +
                  (file.has_preamble() ? "DICOM file (Part 10)" : "data set without preamble"));
  cli::print_line("Elements         " + std::to_string(file.data_set().element_count()));
  for (const dicom::Note& note : file.notes())
    cli::print_line("Note             " + cli::printable(note.text) + " (byte " +
                    std::to_string(note.offset) + ")");
  if (evidence.empty()) cli::print_line("Evidence         none");
  for (const EvidenceSeen& seen : evidence)
    cli::print_line("Evidence         in the " + seen.place +
                    (seen.unreadable.empty()
                         ? ": device " + cli::printable(seen.device) + ", says " + seen.sealed_at +
                               " (not verified here)"
                         : ", unreadable: " + cli::printable(seen.unreadable)));
  cli::print_line("");
  const auto print = [&](const dicom::DataSet& data_set) {
    walk(data_set, [&](const Step& step) { print_element(data_set, step, options.show_values); });
  };
  print(file.meta());
  print(file.data_set());
}

// --- JSON -------------------------------------------------------------------------------------

std::string element_json(const dicom::DataSet& data_set, const Step& step, bool show_values) {
  const dicom::Element& element = *step.element;
  json::Writer json;
  json.open_object();
  json.member("tag", dicom::to_string(element.tag));
  if (const auto keyword = keyword_of(element.tag); !keyword.empty())
    json.member("keyword", keyword);
  json.member("vr", element.vr.text());
  json.member("depth", std::uint64_t{step.depth});
  if (step.depth > 0) json.member("item", step.item_number);
  json.member("offset", element.offset);
  if (element.vr == dicom::vr::sq)
    json.member("items", element.item_count);
  else
    json.member("length", length_of(data_set, element));
  if (element.encapsulated && !data_set.fragments().empty())
    json.member("fragments", std::uint64_t{data_set.fragments().size()});
  if (show_values && is_shown_as_bytes(element))
    json.member("value", show_value(element, *step.character_set));
  json.close_object();
  return json.take();
}

/// The object is one line; its elements are written as they come, because there can be millions.
void print_json(const cli::InspectOptions& options, const sealing::Input& input,
                const dicom::File& file, const std::vector<EvidenceSeen>& evidence) {
  json::Writer json;
  json.open_object();
  json.member("schema", "fiducia.inspect/1");
  json.member("path", input.path.string());
  json.member("bytes", std::uint64_t{file.bytes().size()});
  json.key("transfer_syntax");
  json.open_object();
  json.member("uid", file.transfer_syntax().uid);
  json.member("name", file.transfer_syntax().name);
  json.close_object();
  json.member("form", file.has_preamble() ? "file" : "data-set");
  json.key("notes");
  json.open_array();
  for (const dicom::Note& note : file.notes()) {
    json.open_object();
    json.member("code", note.code);
    json.member("text", note.text);
    json.member("offset", note.offset);
    json.close_object();
  }
  json.close_array();
  json.key("evidence");
  json.open_array();
  for (const EvidenceSeen& seen : evidence) {
    json.open_object();
    json.member("found_in", seen.place);
    if (seen.unreadable.empty()) {
      json.member("device", seen.device);
      json.member("claimed_at", seen.sealed_at);
      json.member("object_root", seen.object_root);
    } else {
      json.member("unreadable", seen.unreadable);
    }
    json.close_object();
  }
  json.close_array();
  std::string head = json.take();
  std::fwrite(head.data(), 1, head.size(), stdout);
  std::fputs(",\"elements\":[", stdout);
  bool first = true;
  const auto print = [&](const dicom::DataSet& data_set) {
    walk(data_set, [&](const Step& step) {
      if (step.element == nullptr) return;  // depth and order say where items begin
      const std::string one = element_json(data_set, step, options.show_values);
      if (!std::exchange(first, false)) std::fputc(',', stdout);
      std::fwrite(one.data(), 1, one.size(), stdout);
    });
  };
  print(file.meta());
  print(file.data_set());
  std::fputs("]}\n", stdout);
}

Status inspect(const cli::InspectOptions& options) {
  FIDUCIA_TRY(inputs, sealing::find_inputs({options.path}));
  if (inputs.size() != 1 || !inputs.front().is_explicit)
    return fail(ErrorCode::usage_invalid, "This is a folder.", "Name one file to inspect.",
                Location{.file = options.path});
  const sealing::Input& input = inputs.front();
  FIDUCIA_TRY(file, sealing::open_input(input));
  FIDUCIA_TRY(evidence, find_evidence(options, input, file));
  if (options.common.json)
    print_json(options, input, file, evidence);
  else if (!options.common.quiet)
    print_text(options, input, file, evidence);
  if (std::fflush(stdout) != 0)
    return fail(ErrorCode::io_unwritable, "The result could not be printed.",
                "Make room where standard output goes.");
  return {};
}

}  // namespace

int run(const cli::InspectOptions& options) {
  if (const Status done = inspect(options); !done) {
    cli::print_error(done.error(), options.common.json);
    return 1;
  }
  return 0;
}

}  // namespace fiducia::app
