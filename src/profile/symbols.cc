#include "profile/symbols.h"

#include <cxxabi.h>
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <optional>

namespace gauntlet::profile {
namespace {

template <typename T>
std::optional<T> ReadAt(std::string_view bytes, uint64_t offset) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

std::string_view Section(std::string_view image, const Elf64_Shdr& header) {
  if (header.sh_offset > image.size() || image.size() - header.sh_offset < header.sh_size) return {};
  return image.substr(header.sh_offset, header.sh_size);
}

std::string Demangle(const std::string& name) {
  int status = 0;
  char* text = abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status);
  std::string out = status == 0 ? text : name;
  std::free(text);
  return out;
}

// Where the executable was loaded, less where it was linked to be: 0 unless it is position-independent.
uintptr_t LoadBase() {
  uintptr_t base = 0;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* to) {
        *static_cast<uintptr_t*>(to) = info->dlpi_addr;
        return 1;  // the first is the executable
      },
      &base);
  return base;
}

// "00400000-0040b000 r-xp 00002000 fe:00 1234  /path"
std::optional<Mapping> ParseMapping(const std::string& line) {
  auto hex = [](std::string_view text, uint64_t* out) {
    return std::from_chars(text.data(), text.data() + text.size(), *out, 16).ec == std::errc();
  };
  size_t dash = line.find('-'), space = line.find(' ');
  if (dash == std::string::npos || space == std::string::npos || line.size() < space + 4 || line[space + 3] != 'x') {
    return std::nullopt;
  }
  uint64_t start = 0, end = 0;
  Mapping mapping;
  size_t offset_at = space + 6;
  if (offset_at >= line.size() || !hex(std::string_view(line).substr(0, dash), &start) ||
      !hex(std::string_view(line).substr(dash + 1, space - dash - 1), &end) ||
      !hex(std::string_view(line).substr(offset_at, line.find(' ', offset_at) - offset_at), &mapping.offset)) {
    return std::nullopt;
  }
  mapping.start = start;
  mapping.end = end;
  size_t path = line.find_first_of("/[", offset_at);
  if (path != std::string::npos) mapping.file = line.substr(path);
  return mapping;
}

}  // namespace

void Symbols::ReadElf(std::string_view image, uintptr_t base) {
  auto header = ReadAt<Elf64_Ehdr>(image, 0);
  if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_ident[EI_CLASS] != ELFCLASS64 ||
      header->e_shentsize != sizeof(Elf64_Shdr)) {
    return;
  }
  std::optional<Elf64_Shdr> table;
  for (size_t i = 0; i < header->e_shnum; ++i) {
    auto section = ReadAt<Elf64_Shdr>(image, header->e_shoff + i * sizeof(Elf64_Shdr));
    if (!section) return;
    // A stripped program still has its dynamic symbols.
    if (section->sh_type == SHT_SYMTAB || (section->sh_type == SHT_DYNSYM && !table)) table = section;
  }
  if (!table) return;
  auto strings = ReadAt<Elf64_Shdr>(image, header->e_shoff + table->sh_link * sizeof(Elf64_Shdr));
  if (!strings) return;
  std::string_view symbols = Section(image, *table), names = Section(image, *strings);
  for (size_t at = 0; at + sizeof(Elf64_Sym) <= symbols.size(); at += sizeof(Elf64_Sym)) {
    auto symbol = *ReadAt<Elf64_Sym>(symbols, at);
    if (ELF64_ST_TYPE(symbol.st_info) != STT_FUNC || symbol.st_value == 0 || symbol.st_name >= names.size()) continue;
    std::string_view name = names.substr(symbol.st_name);
    entries_.push_back({base + symbol.st_value, symbol.st_size, names_.size()});
    names_.append(name.substr(0, name.find('\0'))).push_back('\0');
  }
  std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) { return a.start < b.start; });
}

Symbols Symbols::FromElf(std::string_view image, uintptr_t base) {
  Symbols symbols;
  symbols.ReadElf(image, base);
  return symbols;
}

Symbols Symbols::Load() {
  Symbols symbols;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (auto mapping = ParseMapping(line)) symbols.mappings_.push_back(*std::move(mapping));
  }
  int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return symbols;
  struct stat info{};
  if (fstat(fd, &info) == 0 && info.st_size > 0) {
    auto size = static_cast<size_t>(info.st_size);
    void* image = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (image != MAP_FAILED) {
      symbols.ReadElf({static_cast<const char*>(image), size}, LoadBase());
      munmap(image, size);
    }
  }
  close(fd);
  return symbols;
}

Symbol Symbols::Find(uintptr_t address) const {
  Symbol symbol;
  auto after = std::upper_bound(entries_.begin(), entries_.end(), address,
                                [](uintptr_t a, const Entry& entry) { return a < entry.start; });
  if (after != entries_.begin()) {
    const Entry& entry = *std::prev(after);
    // Functions written in assembly often have no size.
    uintptr_t end = entry.size != 0 ? entry.start + entry.size : (after != entries_.end() ? after->start : 0);
    if (address < end) symbol.name = names_.c_str() + entry.name;
  }
  if (symbol.name.empty()) {
    Dl_info info{};
    if (dladdr(reinterpret_cast<void*>(address), &info) != 0 && info.dli_sname != nullptr) {
      symbol.name = info.dli_sname;
    }
  }
  if (!symbol.name.empty()) symbol.demangled = Demangle(symbol.name);
  return symbol;
}

size_t Symbols::MappingOf(uintptr_t address) const {
  for (size_t i = 0; i < mappings_.size(); ++i) {
    if (address >= mappings_[i].start && address < mappings_[i].end) return i;
  }
  return mappings_.size();
}

}  // namespace gauntlet::profile
