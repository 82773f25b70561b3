using System.CommandLine;
using System.CommandLine.Invocation;

namespace Broker.Gateway.Cli;

/// <summary>`broker ctl …`: the command line for operators. It is a client of the HTTP API and knows nothing of the broker's inside.</summary>
internal static class CtlProgram
{
    /// <summary>Long enough for a benchmark to say goodbye to its connections after Ctrl-C.</summary>
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(20);

    /// <summary>Runs one command in a process of its own.</summary>
    /// <inheritdoc cref="RunAsync(string[], CtlConsole)"/>
    public static Task<int> RunAsync(string[] args)
    {
        // What comes is handled on the thread that waits for it; the runtime reads this when the first socket is made.
        if (args.Contains("bench")) Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1");
        return RunAsync(args, CtlConsole.OfProcess());
    }

    /// <summary>Runs one command.</summary>
    /// <param name="args">The command line behind `ctl`.</param>
    /// <returns>An <see cref="ExitCode"/>.</returns>
    public static async Task<int> RunAsync(string[] args, CtlConsole console)
    {
        var code = await TryAsync(args, console);
        try
        {
            await console.Out.FlushAsync();
            return code;
        }
        catch (IOException fault) // who reads it has gone, or the disk is full
        {
            await console.Error.WriteLineAsync(fault.Message);
            return (int)ExitCode.Usage;
        }
    }

    private static async Task<int> TryAsync(string[] args, CtlConsole console)
    {
        try
        {
            return args is [Completion.Command, .. var words] ? Completion.Offer(words, console) : await InvokeAsync(new CommandTree(console).Parse(args), console);
        }
        catch (CtlException fault)
        {
            await console.Error.WriteLineAsync(fault.Message);
            return (int)fault.Code;
        }
        catch (OperationCanceledException)
        {
            await console.Error.WriteLineAsync("Stopped.");
            return (int)ExitCode.Refused;
        }
        catch (Exception fault) when (fault is InvalidOperationException or KeyNotFoundException)
        {
            // JSON of another shape
            await console.Error.WriteLineAsync($"The broker has answered something else than was asked for: {fault.Message}");
            return (int)ExitCode.Refused;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            await console.Error.WriteLineAsync(fault.Message);
            return (int)ExitCode.Usage;
        }
    }

    private static async Task<int> InvokeAsync(ParseResult parsed, CtlConsole console)
    {
        if (parsed.Action is ParseErrorAction)
        {
            foreach (var fault in parsed.Errors) await console.Error.WriteLineAsync(fault.Message);
            await console.Error.WriteLineAsync($"See: {Path(parsed.CommandResult.Command)} --help");
            return (int)ExitCode.Usage;
        }

        return await parsed.InvokeAsync(new InvocationConfiguration { Output = console.Out, Error = console.Error, EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = Farewell });
    }

    private static string Path(Command command) => command.Parents.OfType<Command>().FirstOrDefault() is { } parent ? $"{Path(parent)} {command.Name}" : command.Name;
}
