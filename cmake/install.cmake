# What `cmake --install` puts where: the tool, the libraries, the headers, the plugins, and what
# pkg-config and find_package need. All of it is found relative to the prefix, so that an installed
# tree can be moved.
include(CMakePackageConfigHelpers)

install(TARGETS hillock-tool RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS hillock-shared EXPORT hillock-targets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS hillock EXPORT hillock-static-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY framework/include/hillock DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
if(TARGET manual)
  install(FILES ${PROJECT_BINARY_DIR}/hillock.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
endif()

if(NOT HILLOCK_STATIC_PLUGINS)
  foreach(source ${plugin_sources})
    get_filename_component(name ${source} NAME_WE)
    install(TARGETS plugins_${name} LIBRARY DESTINATION ${installed_plugin_dir})
  endforeach()
endif()

# find_package(Hillock): the target Hillock::hillock; with COMPONENTS static Hillock::hillock-static, too
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/hillock)
install(EXPORT hillock-targets NAMESPACE Hillock:: DESTINATION ${package_dir})
install(EXPORT hillock-static-targets NAMESPACE Hillock:: DESTINATION ${package_dir})
configure_package_config_file(cmake/hillock-config.cmake.in hillock-config.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(hillock-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/hillock-config.cmake
              ${PROJECT_BINARY_DIR}/hillock-config-version.cmake DESTINATION ${package_dir})

# pkg-config: the path from the .pc file up to the prefix, and the OpenMP library of this compiler
# with its path, which another compiler would not look in
file(RELATIVE_PATH pc_prefix ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
list(JOIN OpenMP_C_LIBRARIES " " pc_openmp)
if(HILLOCK_ONEDNN)
  string(APPEND pc_openmp " ${DNNL_LIBRARY}")
endif()
set(pc_pictures "")
if(PNG_FOUND)
  string(APPEND pc_pictures " -lpng16")
endif()
if(JPEG_FOUND)
  string(APPEND pc_pictures " -lturbojpeg")
endif()
configure_file(cmake/hillock.pc.in hillock.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/hillock.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
