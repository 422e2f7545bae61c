using System.CommandLine;

namespace Statehouse.Cli;

/// <summary><c>completion</c>: a script that makes a shell complete commands and flags by asking this program.</summary>
internal static class CompletionCommand
{
    private const string Bash = """
        # statehousectl completion bash > /etc/bash_completion.d/statehousectl, or: eval "$(statehousectl completion bash)"
        _statehousectl() {
          local IFS=$'\n'
          COMPREPLY=($(compgen -W "$(statehousectl "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
        }
        complete -o default -F _statehousectl statehousectl

        """;

    private const string Zsh = """
        #compdef statehousectl
        # eval "$(statehousectl completion zsh)"
        _statehousectl() {
          local -a words_found
          words_found=("${(@f)$(statehousectl "[suggest:${CURSOR}]" "${BUFFER}" 2>/dev/null)}")
          compadd -- "${words_found[@]}"
        }
        compdef _statehousectl statehousectl

        """;

    private const string Fish = """
        # statehousectl completion fish | source
        complete -c statehousectl -f -a '(statehousectl "[suggest:"(commandline -C)"]" (commandline -p) 2>/dev/null)'

        """;

    public static Command Build()
    {
        var shell = new Argument<string>("SHELL") { Description = "bash, zsh or fish" };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        var command = new Command("completion", "Print a script that lets a shell complete commands and flags") { shell };
        command.SetAction(parsed =>
        {
            using OutputWriter output = OutputWriter.StandardOutput();
            output.Text(parsed.GetRequiredValue(shell) switch { "bash" => Bash, "zsh" => Zsh, _ => Fish });
            output.Flush();
            return ExitCode.Ok;
        });
        return command;
    }
}
