using System.Text.Json;

namespace Broker.Gateway.Cli.Output;

/// <summary>For other programs: a line with the columns' names, then a line for each row, with tabs between the cells.</summary>
internal sealed class PlainOutput(TextWriter to) : IOutput
{
    public async Task ShowAsync(RowShape shape, IAsyncEnumerable<JsonElement> pages)
    {
        var columns = shape.Columns;
        var isHeaded = false;
        await foreach (var page in pages)
        {
            foreach (var row in JsonRows.Of(page, shape.Member))
            {
                if (columns.Length == 0) columns = [.. row.Cells.Select(cell => cell.Key)];
                if (!isHeaded) to.WriteLine(string.Join('\t', columns));
                isHeaded = true;
                to.WriteLine(string.Join('\t', columns.Select(column => row[column])));
            }
        }

        if (!isHeaded && columns.Length > 0) to.WriteLine(string.Join('\t', columns));
    }

    public void Show(JsonElement record)
    {
        foreach (var row in JsonRows.Of(record, ""))
        {
            foreach (var (name, value) in row.Cells) to.WriteLine($"{name}\t{value}");
        }
    }

    public void Done(string text, JsonElement answer) => to.WriteLine(text);
}
