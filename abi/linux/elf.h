/* SPDX-License-Identifier: Apache-2.0
 *
 * ELF files of 64 bits, native byte order.
 */
#pragma once

struct linux_elf64_ehdr {
        u8 e_ident[16];
        u16 e_type;
        u16 e_machine;
        u32 e_version;
        u64 e_entry;
        u64 e_phoff;
        u64 e_shoff;
        u32 e_flags;
        u16 e_ehsize;
        u16 e_phentsize;
        u16 e_phnum;
        u16 e_shentsize;
        u16 e_shnum;
        u16 e_shstrndx;
};

struct linux_elf64_phdr {
        u32 p_type;
        u32 p_flags;
        u64 p_offset;
        u64 p_vaddr;
        u64 p_paddr;
        u64 p_filesz;
        u64 p_memsz;
        u64 p_align;
};

struct linux_elf64_shdr {
        u32 sh_name;
        u32 sh_type;
        u64 sh_flags;
        u64 sh_addr;
        u64 sh_offset;
        u64 sh_size;
        u32 sh_link;
        u32 sh_info;
        u64 sh_addralign;
        u64 sh_entsize;
};

struct linux_elf64_sym {
        u32 st_name;
        u8 st_info;
        u8 st_other;
        u16 st_shndx;
        u64 st_value;
        u64 st_size;
};

struct linux_elf64_rela {
        u64 r_offset;
        u64 r_info;
        i64 r_addend;
};

struct linux_elf64_dyn {
        i64 d_tag;
        u64 d_val;
};

struct linux_elf64_nhdr {               /* then the name and the data, each 4-aligned */
        u32 n_namesz;
        u32 n_descsz;
        u32 n_type;
};

struct linux_elf64_auxv {
        u64 a_type;
        u64 a_val;
};
