using System.Text.Json;
using Spectre.Console;

namespace Broker.Gateway.Cli.Output;

/// <summary>For people: tables, one for each page.</summary>
internal sealed class TableOutput(TextWriter to) : IOutput
{
    private readonly IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(to) });

    public async Task ShowAsync(RowShape shape, IAsyncEnumerable<JsonElement> pages)
    {
        var columns = shape.Columns;
        long shown = 0;
        await foreach (var page in pages)
        {
            var rows = JsonRows.Of(page, shape.Member).ToArray();
            if (rows.Length == 0) continue;
            if (columns.Length == 0) columns = [.. rows[0].Cells.Select(cell => cell.Key)];
            var table = new Table { Border = TableBorder.Rounded };
            var shownColumns = Fitting(columns, rows);
            foreach (var column in shownColumns) table.AddColumn(new TableColumn(new Text(column, new Style(decoration: Decoration.Bold))));
            foreach (var row in rows) table.AddRow(shownColumns.Select(column => Cell(column, row[column])));
            console.Write(table);
            if (shownColumns.Length < columns.Length) console.WriteLine($"Too wide for this terminal: {string.Join(", ", columns[shownColumns.Length..])}");
            shown += rows.Length;
        }

        if (shown == 0) console.WriteLine("None.");
    }

    public void Show(JsonElement record)
    {
        foreach (var row in JsonRows.Of(record, ""))
        {
            var grid = new Grid().AddColumn().AddColumn();
            foreach (var (name, value) in row.Cells) grid.AddRow(new Text(name, new Style(decoration: Decoration.Bold)), Cell(name, value));
            console.Write(grid);
        }
    }

    public void Done(string text, JsonElement answer) => console.WriteLine(text);

    /// <summary>The first columns, as many as there is room for without breaking words; two at least.</summary>
    private string[] Fitting(string[] columns, Row[] rows)
    {
        const int Border = 3;
        var width = 1;
        return [.. columns.TakeWhile((column, at) => (width += Border + rows.Max(row => Math.Max(column.Length, row[column].Length))) <= console.Profile.Width || at < 2)];
    }

    private static Text Cell(string name, string value) => new(value, (name, value) switch
    {
        ("connected" or "active" or "status", "true") or ("node_status", "Running") or ("verdict", "gets") or ("access", "allow") => new Style(Color.Green),
        ("connected" or "active" or "status", "false") or ("node_status", _) or ("verdict", "loses" or "not") or ("access", "deny") => new Style(Color.Red),
        _ => Style.Plain,
    });
}
