using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Help;
using Broker.Gateway.Cli.Bench;
using Broker.Gateway.Cli.Commands;
using Broker.Gateway.Cli.Output;

namespace Broker.Gateway.Cli;

/// <summary>Makes what System.CommandLine parses of the tables of commands.</summary>
internal sealed class CommandTree
{
    private static readonly (string Name, string Argument, string Help)[] GlobalOptions =
    [
        ("json", "", "show what the API answers as one JSON document"),
        ("url", "URL", $"where the API is ({CtlSettings.UsualUrl}; with --user port 18083)"),
        ("app-id", "ID", "id of the application to call as (admin)"),
        ("secret", "SECRET", "its secret (public)"),
        ("user", "NAME", "a user of the dashboard, instead of an application"),
        ("password", "PASSWORD", "that user's password"),
        ("cacert", "FILE", "PEM file of the authorities whose certificates are taken"),
        ("insecure", "", "take any certificate"),
        ("timeout", "SECONDS", "how long to wait for an answer (10)"),
    ];

    private readonly CtlConsole console;
    private readonly Command program = new("broker");
    private readonly List<(string Name, Option Option)> globals = [];

    public CommandTree(CtlConsole console)
    {
        this.console = console;
        Root = new Command("ctl", "Operates a running broker over its HTTP API.") { new HelpOption("--help", "-h") { Recursive = false }, new VersionOption() };
        foreach (var command in CommandTable.All) Add(command);
        foreach (var command in Root.Subcommands)
        {
            command.Description ??= CommandTable.GroupHelp.GetValueOrDefault(command.Name);
            command.Add(new HelpOption("--help", "-h"));
            AddGlobals(command, areRecursive: true);
        }

        // They may stand before the command too. A benchmark calls no API, and has shorter names of its own.
        AddGlobals(Root, areRecursive: false);
        Root.Add(BenchCommands.Make(console, parsed => Global(parsed, "json") is not null));
        program.Add(Root);
    }

    /// <summary>`ctl`, and all commands below it.</summary>
    public Command Root { get; }

    /// <param name="args">What stands behind `ctl`.</param>
    public ParseResult Parse(string[] args) => program.Parse(["ctl", .. args]);

    /// <summary>What could stand at the end of a line.</summary>
    /// <param name="line">What stands behind `ctl`.</param>
    public IEnumerable<CompletionItem> Complete(string line) => program.Parse($"ctl {line}").GetCompletions(line.Length + "ctl ".Length);

    private void AddGlobals(Command command, bool areRecursive)
    {
        foreach (var (name, argument, help) in GlobalOptions)
        {
            Option option = argument.Length == 0 ? new Option<bool>($"--{name}") : new Option<string?>($"--{name}") { HelpName = argument };
            (option.Description, option.Recursive) = (help, areRecursive);
            command.Add(option);
            globals.Add((name, option));
        }
    }

    /// <summary>The value of a global option, wherever it was given; null if it was not.</summary>
    private string? Global(ParseResult parsed, string name) => globals.Where(one => one.Name == name)
        .Select(one => one.Option is Option<bool> flag ? parsed.GetValue(flag) ? "true" : null : parsed.GetValue((Option<string?>)one.Option)).FirstOrDefault(value => value is not null);

    private void Add(CtlCommand command)
    {
        var usage = CommandUsage.Parse(command.Usage);
        Command at = Root;
        foreach (var word in usage.Words)
        {
            var next = at.Subcommands.FirstOrDefault(one => one.Name == word);
            if (next is null) at.Add(next = new Command(word));
            at = next;
        }

        at.Description = command.Help;
        var values = new Dictionary<string, Func<ParseResult, string?>>();
        foreach (var item in usage.Items) values[item.Name] = Add(at, item);
        at.SetAction((parsed, cancellation) => RunAsync(command, parsed, name => values.TryGetValue(name, out var find) ? find(parsed) : null, cancellation));
    }

    private Func<ParseResult, string?> Add(Command command, UsageItem item)
    {
        if (item.IsFlag)
        {
            var flag = new Option<bool>($"--{item.Name}") { Description = ArgumentHelp.Of(item.Name) };
            command.Add(flag);
            return parsed => parsed.GetValue(flag) ? "true" : null;
        }

        if (item.IsOption)
        {
            var option = new Option<string?>($"--{item.Name}") { Description = ArgumentHelp.Of(item.Name), HelpName = item.Choices.Length > 0 ? string.Join('|', item.Choices) : item.Name.ToUpperInvariant() };
            if (item.Choices.Length > 0) option.AcceptOnlyFromAmong(item.Choices);
            else option.CompletionSources.Add(context => Values(item.Name, context));
            command.Add(option);
            return parsed => parsed.GetValue(option);
        }

        var argument = new Argument<string?>(item.Name) { Description = ArgumentHelp.Of(item.Name), Arity = item.IsRequired ? ArgumentArity.ExactlyOne : ArgumentArity.ZeroOrOne };
        if (item.Choices.Length > 0) argument.AcceptOnlyFromAmong(item.Choices);
        else argument.CompletionSources.Add(context => Values(item.Name, context));
        command.Add(argument);
        return parsed => parsed.GetValue(argument);
    }

    private async Task<int> RunAsync(CtlCommand command, ParseResult parsed, Func<string, string?> find, CancellationToken cancellation)
    {
        using var api = new ApiSession(Settings(parsed, command.IsForUsers));
        IOutput output = Global(parsed, "json") is not null ? new JsonOutput(console.Out) : console.IsTerminal ? new TableOutput(console.Out) : new PlainOutput(console.Out);
        var call = new CtlCall(find, api, output, console, cancellation);
        await (command.Run is { } run ? run(call) : CallRunner.RunAsync(command, call));
        return (int)ExitCode.Done;
    }

    private CtlSettings Settings(ParseResult parsed, bool isForUsers) => CtlSettings.Resolve(name => Global(parsed, name), console.Environment, isForUsers);

    /// <summary>What an argument could be, as far as the broker can say it at once.</summary>
    private IEnumerable<CompletionItem> Values(string argument, CompletionContext context)
    {
        if (ArgumentHelp.SourceOf(argument) is not { } source) return [];
        try
        {
            var settings = Settings(context.ParseResult, source.IsForUsers) with { Timeout = TimeSpan.FromSeconds(1) };
            using var api = new ApiSession(settings);
            var rows = JsonRows.Of(api.Peek(source.Path.Replace("{}", Uri.EscapeDataString(context.WordToComplete), StringComparison.Ordinal)), source.Rows);
            return [.. rows.Select(row => row[source.Member]).Where(value => value.Length > 0).Distinct().Select(value => new CompletionItem(value))];
        }
        catch (CtlException)
        {
            return [];
        }
    }
}
