// Runs all queries on Jena's store TDB2 in one process: java Run.java UNION.nt DUMP.nq FOLDER
// The union is the default graph, the documents are the named graphs. Of each FOLDER/NAME.rq the answer is written to FOLDER/NAME.srj or FOLDER/NAME.nt,
// or an error to FOLDER/NAME.error.
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.jena.query.QueryExecution;
import org.apache.jena.query.QueryExecutionFactory;
import org.apache.jena.query.ResultSetFormatter;
import org.apache.jena.rdf.model.Model;
import org.apache.jena.riot.Lang;
import org.apache.jena.riot.RDFDataMgr;
import org.apache.jena.system.Txn;
import org.apache.jena.tdb2.TDB2Factory;

public class Run {
  public static void main(String[] arguments) throws Exception {
    var store = TDB2Factory.createDataset();
    Txn.executeWrite(store, () -> {
      RDFDataMgr.read(store.getDefaultModel(), arguments[0]);
      RDFDataMgr.read(store, arguments[1]);
    });
    try (var queries = Files.newDirectoryStream(Path.of(arguments[2]), "*.rq")) {
      for (Path path : queries) {
        String name = path.toString().replaceAll("\\.rq$", "");
        try {
          String text = Files.readString(path);
          Txn.executeRead(store, () -> answer(QueryExecutionFactory.create(text, store), name));
        } catch (Exception error) {
          Files.writeString(Path.of(name + ".error"), error.toString());
        }
      }
    }
  }

  private static void answer(QueryExecution execution, String name) {
    var query = execution.getQuery();
    boolean isGraph = query.isConstructType() || query.isDescribeType();
    try (execution; OutputStream out = Files.newOutputStream(Path.of(name + (isGraph ? ".nt" : ".srj")))) {
      if (query.isAskType()) {
        ResultSetFormatter.outputAsJSON(out, execution.execAsk());
      } else if (query.isSelectType()) {
        ResultSetFormatter.outputAsJSON(out, execution.execSelect());
      } else {
        Model graph = query.isConstructType() ? execution.execConstruct() : execution.execDescribe();
        RDFDataMgr.write(out, graph, Lang.NTRIPLES);
      }
    } catch (java.io.IOException error) {
      throw new java.io.UncheckedIOException(error);
    }
  }
}
