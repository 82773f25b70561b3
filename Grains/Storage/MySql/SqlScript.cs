using MySqlConnector;

namespace Broker.Grains.Storage.MySql;

/// <summary>Statements on their way to the server, many in one round trip: they are run when there are enough of them, and at the end. Writer thread.</summary>
internal sealed class SqlScript
{
    /// <summary>From 1,000 values on MariaDB makes a joined table of a list, and no longer reads it by key.</summary>
    private const int LongestList = 900;

    private readonly MySqlLink link;
    private readonly SqlText text;
    private readonly int length;
    private readonly long longestRow;

    public SqlScript(MySqlLink link, MySqlOptions options)
    {
        this.link = link;
        text = new SqlText(options.LargestInlineBytes);
        var packet = link.Number("SELECT @@max_allowed_packet") ?? 0;
        length = (int)Math.Min(options.CommandLength, packet / 4);
        longestRow = packet - length - 8 * 1024;
    }

    /// <summary>Adds a whole statement.</summary>
    public SqlText Statement() => text;

    /// <summary>Forgets what was not run.</summary>
    public void Clear() => text.Clear();

    /// <summary>`{before}({row}),({row})…{after};`, as often as it takes.</summary>
    /// <exception cref="StoreException">A row is larger than the server takes.</exception>
    public void Rows<T>(string before, IEnumerable<T> rows, Action<SqlText, T> write, string after = "")
    {
        var isFirst = true;
        foreach (var row in rows)
        {
            if (text.Length > length)
            {
                if (!isFirst) text.Add(after).Add(";");
                Run();
                isFirst = true;
            }

            text.Add(isFirst ? before : ",").Add("(");
            var start = text.Length;
            write(text, row);
            if (text.Length - start > longestRow) throw new StoreException("A message is larger than the server's max_allowed_packet lets through.");
            text.Add(")");
            isFirst = false;
        }

        if (!isFirst) text.Add(after).Add(";");
    }

    /// <summary>`{before}1,2,3{after};`, as often as it takes.</summary>
    public void Lists<T>(string before, IEnumerable<T> values, Action<SqlText, T> write, string after)
    {
        if (text.Length > length) Run();
        var count = 0;
        foreach (var value in values)
        {
            text.Add(count % LongestList > 0 ? "," : count == 0 ? before : after + ";" + before);
            write(text, value);
            count++;
        }

        if (count > 0) text.Add(after).Add(";");
    }

    /// <summary>The same with numbers.</summary>
    public void Lists(string before, IEnumerable<long> values, string after = ")") => Lists(before, values, static (sql, value) => sql.Value(value), after);

    /// <summary>The same with pairs of numbers, which both servers read by a primary key of two columns.</summary>
    public void Lists(string before, IEnumerable<(long, long)> values) =>
        Lists(before, values, static (sql, pair) => sql.Add("(").Value(pair.Item1).Add(",").Value(pair.Item2).Add(")"), ")");

    /// <summary>Runs what there is.</summary>
    public void Run()
    {
        if (text.Length == 0) return;
        using var reader = link.Query(text);
        while (reader.NextResult())
        {
        }
    }

    /// <summary>Runs what there is and reads all rows of all results.</summary>
    public void Read(Action<MySqlDataReader> read)
    {
        if (text.Length == 0) return;
        using var reader = link.Query(text);
        do
        {
            while (reader.Read()) read(reader);
        }
        while (reader.NextResult());
    }
}
