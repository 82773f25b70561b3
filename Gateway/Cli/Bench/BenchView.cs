using Spectre.Console;

namespace Broker.Gateway.Cli.Bench;

/// <summary>Shows a benchmark while it runs: each second a line, or on a terminal a table that changes.</summary>
internal static class BenchView
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    /// <summary>Shows the run until it has ended.</summary>
    public static Task ShowAsync(BenchRun run, Task ended, CtlConsole console) => console.IsTerminal ? ShowTableAsync(run, ended, console) : ShowLinesAsync(run, ended, console);

    private static async Task ShowLinesAsync(BenchRun run, Task ended, CtlConsole console)
    {
        var began = run.Take();
        for (var last = began; !await HasEndedAsync(ended);)
        {
            var now = run.Take();
            await console.Out.WriteLineAsync(string.Join("  ", Cells(began, last, now).Where(cell => cell.Value.Length > 0).Select(cell => $"{cell.Name} {cell.Value}")));
            await console.Out.FlushAsync();
            last = now;
        }
    }

    private static Task ShowTableAsync(BenchRun run, Task ended, CtlConsole console)
    {
        var ansi = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(console.Out) });
        return ansi.Live(new Text("connecting")).AutoClear(true).StartAsync(async context =>
        {
            var began = run.Take();
            for (var last = began; !await HasEndedAsync(ended);)
            {
                var now = run.Take();
                context.UpdateTarget(Table(Cells(began, last, now), now.Errors));
                last = now;
            }
        });
    }

    private static Table Table((string Name, string Value)[] cells, KeyValuePair<string, long>[] errors)
    {
        var table = new Table { Border = TableBorder.Rounded }.HideHeaders().AddColumn("").AddColumn("");
        foreach (var (name, value) in cells.Where(cell => cell.Value.Length > 0)) table.AddRow(new Text(name), new Text(value, new Style(Color.Green)));
        foreach (var (reason, count) in errors) table.AddRow(new Text(reason), new Text($"{count}", new Style(Color.Red)));
        return table;
    }

    private static (string Name, string Value)[] Cells(BenchSample began, BenchSample last, BenchSample now)
    {
        var seconds = now.SecondsSince(last);
        return
        [
            ("time", $"{now.SecondsSince(began):0} s"),
            ("connected", $"{now.Connected}"),
            ("sent/s", now.Sent > 0 ? $"{(now.Sent - last.Sent) / seconds:0}" : ""),
            ("acknowledged/s", now.Acknowledged > 0 ? $"{(now.Acknowledged - last.Acknowledged) / seconds:0}" : ""),
            ("received/s", now.Received > 0 ? $"{(now.Received - last.Received) / seconds:0}" : ""),
            ("connect", Times(now.Connect.Since(last.Connect))),
            ("acknowledge", Times(now.Acknowledge.Since(last.Acknowledge))),
            ("deliver", Times(now.Deliver.Since(last.Deliver))),
            ("errors", now.Errors.Length > 0 ? $"{now.Errors.Sum(error => error.Value)}" : ""),
        ];
    }

    private static string Times(LatencySnapshot times) => times.Count == 0 ? "" : $"p50 {BenchResult.Time(times.Microseconds(0.5))} p99 {BenchResult.Time(times.Microseconds(0.99))}";

    private static async Task<bool> HasEndedAsync(Task ended) => await Task.WhenAny(ended, Task.Delay(Second, TimeProvider.System)) == ended;
}
