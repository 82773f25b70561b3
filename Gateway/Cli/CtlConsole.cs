namespace Broker.Gateway.Cli;

/// <summary>Where the command line reads and writes; in the tests not the process's own.</summary>
/// <param name="IsTerminal">Whether somebody looks at <paramref name="Out"/>: then there are tables and colours.</param>
/// <param name="Environment">Reads an environment variable.</param>
internal sealed record CtlConsole(TextWriter Out, TextWriter Error, Func<Stream> In, bool IsTerminal, Func<string, string?> Environment)
{
    /// <summary>The process's.</summary>
    public static CtlConsole OfProcess() => new(
        new StreamWriter(Console.OpenStandardOutput(), bufferSize: 16 * 1024), Console.Error, Console.OpenStandardInput, !Console.IsOutputRedirected, System.Environment.GetEnvironmentVariable);
}
