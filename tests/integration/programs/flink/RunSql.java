import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;

/** Runs the statements of a file on a cluster in this process, and waits for each INSERT. */
public class RunSql {
    public static void main(String[] arguments) {
        try {
            run(arguments[0]);
            System.exit(0);
        } catch (Throwable error) {
            error.printStackTrace();
            System.exit(1); // threads of the cluster would keep the process alive
        }
    }

    private static void run(String file) throws Exception {
        TableEnvironment flink = TableEnvironment.create(EnvironmentSettings.inStreamingMode());
        flink.getConfig().set("parallelism.default", "1");
        for (String statement : Files.readString(Path.of(file)).split(";\\s*\n")) {
            String sql = statement.replaceAll("(?m)^--.*$", "").strip();
            if (sql.startsWith("SET ")) {
                String[] words = sql.split("'");
                flink.getConfig().set(words[1], words[3]);
            } else if (sql.startsWith("INSERT ")) {
                flink.executeSql(sql).await();
            } else if (!sql.isEmpty()) {
                flink.executeSql(sql);
            }
        }
    }
}
