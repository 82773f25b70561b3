namespace Broker.Gateway.Cli;

/// <summary>What shells offer when Tab is pressed: a script for each, which asks `broker ctl complete`.</summary>
internal static class Completion
{
    /// <summary>The command that the scripts call, with the words so far; the last is the one to complete.</summary>
    public const string Command = "complete";

    private const string Bash = """
        # Completion of `broker ctl` in bash: source <(broker ctl completion bash)
        _broker() {
            local line=${COMP_LINE:0:COMP_POINT} words word before
            read -ra words <<< "$line"
            [[ $line == *' ' ]] && words+=("")
            word=${words[-1]}
            COMPREPLY=()
            if [ "${#words[@]}" -eq 2 ]; then
                COMPREPLY=($(compgen -W ctl -- "$word"))
            elif [ "${words[1]}" = ctl ]; then
                mapfile -t COMPREPLY < <("${words[0]}" ctl complete "${words[@]:2}" 2>/dev/null)
            fi
            if [ "${#COMPREPLY[@]}" -eq 0 ]; then
                compopt -o filenames
                mapfile -t COMPREPLY < <(compgen -f -- "$word")
            elif [[ $word == *:* && $COMP_WORDBREAKS == *:* ]]; then
                # For bash a colon ends a word: what stands before the last one is on the line already.
                before=${word%"${word##*:}"}
                COMPREPLY=("${COMPREPLY[@]#"$before"}")
            fi
        }
        complete -F _broker broker
        """;

    private const string Zsh = """
        #compdef broker
        # Completion of `broker ctl` in zsh: source <(broker ctl completion zsh), or a file _broker in $fpath.
        _broker() {
            local -a offers
            if (( CURRENT == 2 )); then
                offers=(ctl)
            elif [[ $words[2] == ctl ]]; then
                offers=("${(@f)$($words[1] ctl complete "${(@)words[3,CURRENT]}" 2>/dev/null)}")
            fi
            if (( ${#offers} )) && [[ -n $offers[1] ]]; then
                compadd -a offers
            else
                _files
            fi
        }
        if [ "$funcstack[1]" = _broker ]; then
            _broker "$@"
        else
            compdef _broker broker
        fi
        """;

    private const string Fish = """
        # Completion of `broker ctl` in fish: broker ctl completion fish | source
        function __broker_complete
            set -l words (commandline -opc)
            if test (count $words) -ge 2; and test $words[2] = ctl
                $words[1] ctl complete $words[3..-1] (commandline -ct) 2>/dev/null
            end
        end
        complete -c broker -n 'test (count (commandline -opc)) -eq 1' -a ctl -d 'operate a running broker'
        complete -c broker -f -n 'test (count (commandline -opc)) -ge 2' -a '(__broker_complete)'
        """;

    /// <summary>The script of a shell.</summary>
    public static string ScriptOf(string shell) => shell switch { "bash" => Bash, "zsh" => Zsh, _ => Fish };

    /// <summary>Writes what the last word could become, a line for each.</summary>
    public static int Offer(string[] words, CtlConsole console)
    {
        var text = string.Join(' ', words.Select(Quote));
        var last = words.Length > 0 ? words[^1] : "";
        var offers = new CommandTree(console).Complete(text).Select(one => one.InsertText ?? one.Label)
            // Options are many, and wanted by whoever begins to write one.
            .Where(offer => offer.StartsWith(last, StringComparison.Ordinal) && offer.StartsWith('-') == last.StartsWith('-')).Distinct();
        foreach (var offer in offers) console.Out.WriteLine(offer);
        return (int)ExitCode.Done;
    }

    private static string Quote(string word) => word.Length > 0 && !word.Contains(' ', StringComparison.Ordinal) ? word : word.Length == 0 ? "" : $"\"{word}\"";
}
