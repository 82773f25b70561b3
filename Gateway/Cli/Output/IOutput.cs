using System.Text.Json;

namespace Broker.Gateway.Cli.Output;

/// <summary>How answers are shown: to people as tables, to other programs as lines, with `--json` as they came.</summary>
internal interface IOutput
{
    /// <summary>A list, page by page as it comes.</summary>
    /// <param name="shape">What of a row is shown; without columns all that the first row has.</param>
    /// <param name="pages">Arrays, or whatever else `data` is.</param>
    Task ShowAsync(RowShape shape, IAsyncEnumerable<JsonElement> pages);

    /// <summary>A thing with its members.</summary>
    void Show(JsonElement record);

    /// <summary>It is done.</summary>
    void Done(string text, JsonElement answer);
}

/// <summary>Which part of an answer its rows are.</summary>
/// <param name="Columns">The members that are shown; none for all.</param>
/// <param name="Member">The member that has the rows; empty if the answer itself has.</param>
internal sealed record RowShape(string[] Columns, string Member);
