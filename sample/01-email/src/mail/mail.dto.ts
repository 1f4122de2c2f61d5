import { IsEmail, IsNotEmpty, IsString } from 'class-validator';

/** Payload of the mails, as the validation pipe wants it. */
export class MailDto {
  @IsEmail()
  readonly email!: string;

  @IsString()
  @IsNotEmpty()
  readonly name!: string;
}
