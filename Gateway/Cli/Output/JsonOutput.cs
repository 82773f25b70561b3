using System.Text.Json;

namespace Broker.Gateway.Cli.Output;

/// <summary>For scripts: one document, which is the answer's `data`; of all pages one array.</summary>
internal sealed class JsonOutput(TextWriter to) : IOutput
{
    public async Task ShowAsync(RowShape shape, IAsyncEnumerable<JsonElement> pages)
    {
        var (isArray, isFirst) = (false, true);
        await foreach (var page in pages)
        {
            if (page.ValueKind != JsonValueKind.Array)
            {
                to.WriteLine(page.ValueKind == JsonValueKind.Undefined ? "null" : page.GetRawText());
                return;
            }

            if (!isArray) to.Write('[');
            isArray = true;
            foreach (var row in page.EnumerateArray())
            {
                if (!isFirst) to.Write(',');
                isFirst = false;
                to.Write(row.GetRawText());
            }
        }

        to.WriteLine(isArray ? "]" : "[]");
    }

    public void Show(JsonElement record) => to.WriteLine(record.GetRawText());

    public void Done(string text, JsonElement answer) => to.WriteLine(answer.ValueKind == JsonValueKind.Undefined ? """{"code":0}""" : answer.GetRawText());
}
