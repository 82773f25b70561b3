using Broker.Gateway.Cli;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Cli;

/// <summary>What a command has left behind.</summary>
internal sealed record CtlOutcome(int Code, string Out, string Error)
{
    public string[] Lines => Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}

/// <summary>`broker ctl` in this process, with an environment of its own.</summary>
internal static class Ctl
{
    public static Task<CtlOutcome> RunAsync(params string[] args) => RunAsync([], args);

    /// <param name="environment">Variables; it has no others, so no file of whoever runs the tests is read.</param>
    public static async Task<CtlOutcome> RunAsync(Dictionary<string, string> environment, string[] args, bool isTerminal = false, byte[]? input = null)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var console = new CtlConsole(output, error, () => new MemoryStream(input ?? []), isTerminal, name => environment.GetValueOrDefault(name));
        var code = await CtlProgram.RunAsync(args, console);
        return new CtlOutcome(code, output.ToString(), error.ToString());
    }

    /// <summary>Runs it, and expects that it is done.</summary>
    public static async Task<string[]> SucceedAsync(params string[] args)
    {
        var outcome = await RunAsync(args);
        Assert.True(outcome.Code == 0, $"{string.Join(' ', args)}: {outcome.Code} {outcome.Error}");
        Assert.Equal("", outcome.Error);
        return outcome.Lines;
    }
}
