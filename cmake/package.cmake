# What is installed, and the Debian package made of it by CPack: scripts/package.sh.
include(GNUInstallDirs)

# Man page and completion come from the program's own command line, so that they cannot lag behind it.
set(epione_man ${CMAKE_BINARY_DIR}/generated/epione.1)
set(epione_completion ${CMAKE_BINARY_DIR}/generated/epione.bash)
add_custom_command(
  OUTPUT ${epione_man}.gz ${epione_completion}
  COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/generated
  COMMAND epione documentation man > ${epione_man}
  COMMAND gzip -9 -n -f -k ${epione_man}
  COMMAND epione documentation bash > ${epione_completion}
  DEPENDS epione
  VERBATIM)
add_custom_target(epione_documentation DEPENDS ${epione_man}.gz ${epione_completion})

set(doc_dir share/doc/epione)
install(TARGETS epione RUNTIME DESTINATION bin)
install(FILES packaging/epione.service DESTINATION lib/systemd/system)
install(FILES packaging/epione.toml DESTINATION /etc/epione)
install(FILES ${epione_man}.gz DESTINATION share/man/man1)
install(FILES ${epione_completion} DESTINATION share/bash-completion/completions RENAME epione)
file(GLOB epione_pages CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/docs/*.md)
install(FILES ${epione_pages} README.md NOTICE packaging/copyright DESTINATION ${doc_dir})
install(DIRECTORY examples/ DESTINATION ${doc_dir}/examples)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME epione)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "Epione <epione@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "ePRO platform for clinical trials")
set(CPACK_PACKAGE_DESCRIPTION
    "Patients in clinical trials answer questionnaires on their phones.\nEpione checks the answers, stores them so that nothing it acknowledged is\never lost, scores them, and raises an alert when something is wrong.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_SET_DESTDIR ON) # /etc is outside the prefix
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT) # epione_VERSION_ARCHITECTURE.deb
set(CPACK_DEBIAN_PACKAGE_RELEASE "")
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# Older ones count replicas of earlier terms' entries as committed; the tilde accepts the version's own backport.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "adduser, ca-certificates, libraft0 (>= 0.22.1~), tzdata")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_SOURCE_DIR}/packaging/postinst ${CMAKE_SOURCE_DIR}/packaging/prerm
                                       ${CMAKE_SOURCE_DIR}/packaging/postrm ${CMAKE_SOURCE_DIR}/packaging/conffiles)
include(CPack)
