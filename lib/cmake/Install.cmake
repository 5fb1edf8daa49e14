include(GNUInstallDirs)

install(TARGETS docmap-webhookd RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES config/config.toml DESTINATION ${CMAKE_INSTALL_SYSCONFDIR}/docmap-webhookd)
install(FILES systemd/docmap-webhookd.service DESTINATION lib/systemd/system)
