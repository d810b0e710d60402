"""The commands of fncast, one file a command. Only this package and fncast.demo may import all other packages."""
