// Symbols: which function an address of this process lies in.
//
// Reads the symbol table of the own executable; asks the dynamic linker about shared libraries.
// Threads: immutable after Load.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gauntlet::profile {

struct Symbol {
  std::string name;       // as linked; empty = unknown
  std::string demangled;  // as written
};

// An executable mapping of the process.
struct Mapping {
  uintptr_t start = 0, end = 0;
  uint64_t offset = 0;
  std::string file;
};

class Symbols {
 public:
  // Of this process, now. What cannot be read leaves addresses without a name.
  static Symbols Load();
  // For tests: the functions of an ELF image loaded at `base`. Malformed images have none.
  static Symbols FromElf(std::string_view image, uintptr_t base);

  Symbol Find(uintptr_t address) const;
  const std::vector<Mapping>& mappings() const { return mappings_; }
  size_t MappingOf(uintptr_t address) const;  // index, or mappings().size()

 private:
  struct Entry {
    uintptr_t start, size;
    size_t name;  // offset in names_
  };
  void ReadElf(std::string_view image, uintptr_t base);

  std::vector<Entry> entries_;  // by start
  std::string names_;           // each ended by '\0'
  std::vector<Mapping> mappings_;
};

}  // namespace gauntlet::profile
