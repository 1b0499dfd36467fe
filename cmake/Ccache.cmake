# Compiles through ccache where it is installed. Paths below the project are made relative, so that a
# fresh clone in another folder finds what an older one compiled.
find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
    CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1 CCACHE_MAXSIZE=5G
    CCACHE_SLOPPINESS=time_macros ${CCACHE})
endif()
